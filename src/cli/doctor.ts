import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { styleText } from 'node:util';
import type { Finding, Verdict } from './doctor/check.js';
import { readCaFile } from '../config/load.js';
import { misused } from './input.js';
import { expectReadersToLeave, harmless, inJson, toStderr } from './output.js';
import { examine } from './doctor/examine.js';
import { columnsOf, wrap } from '../wrap.js';
import { orRunningDemo, loadDotenv } from './environment.js';

/** 0: nothing failed; 1: something failed; 2: the command was not understood. */
async function main(): Promise<number> {
  const command = new Command('doctor')
    .description(
      'Looks for what is wrong between this configuration, Redis, GetBill and the proxy. Changes nothing.',
    )
    .option('--url <origin>', 'also look at a running deployment, through its proxy', origin)
    .option(
      '--url-ca-file <file>',
      'PEM file of the private CA that signed its certificate',
      caFile,
    )
    .option('--json', 'one JSON object at the end instead of lines')
    .exitOverride()
    .parse();
  const { json = false, ...deployment } = command.opts<{
    url?: URL;
    urlCaFile?: string;
    json?: boolean;
  }>();

  if (deployment.urlCaFile !== undefined && deployment.url === undefined)
    misused('drop --url-ca-file, or add --url: it is for the certificate of that deployment');

  const findings: Finding[] = [];
  loadDotenv();
  const env = await orRunningDemo(process.env, toStderr);
  const looking = examine({
    env,
    ...deployment,
    now: Date.now,
    monotonicMs: () => performance.now(),
  });
  let step = await looking.next();
  for (; !step.done; step = await looking.next()) {
    findings.push(step.value);
    if (!json)
      console.log(coloured(wrap(lineOf(step.value), columnsOf(process.stdout)), step.value));
  }
  const ok = findings.every(({ verdict }) => verdict !== 'fail');
  console.log(
    json
      ? inJson({ ok, findings, leftOut: step.value })
      : wrap(
          summaryOf(findings, step.value, { isOwn: env === process.env }),
          columnsOf(process.stdout),
        ),
  );
  return ok ? 0 : 1;
}

function origin(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new InvalidArgumentError('It must be an https:// origin.');
  return url;
}

function caFile(file: string): string {
  try {
    readCaFile(file);
    return file;
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    const cause = syscall === undefined ? 'is no PEM certificate' : `cannot be read (${code})`;
    throw new InvalidArgumentError(`It ${cause}: name the PEM file of the private CA.`);
  }
}

const COLOURS = { pass: 'green', warn: 'yellow', fail: 'red' } as const;
/** After the lines are broken: a colour has letters, too. */
const coloured = (text: string, { verdict }: Finding): string =>
  process.stdout.isTTY && !process.env['NO_COLOR']
    ? styleText(COLOURS[verdict], verdict) + text.slice(verdict.length)
    : text;

function lineOf(finding: Finding): string {
  const { verdict, name, detail, cause, fix } = cleaned(finding);
  const head = `${verdict}  ${name}`;
  if (cause === undefined)
    return detail === undefined ? head : `${verdict}  ${name.padEnd(20)} ${detail}`;
  return [head, `      cause: ${cause}`, `      fix:   ${fix ?? 'see docs/doctor.md'}`].join('\n');
}

const cleaned = (finding: Finding): Finding =>
  Object.fromEntries(
    Object.entries(finding).map(([key, text]) => [key, harmless(String(text))]),
  ) as unknown as Finding;

/** `isOwn`: this configuration is what `npm start` would use, and not that of a running demo. */
function summaryOf(
  findings: readonly Finding[],
  leftOut: readonly string[],
  { isOwn }: { isOwn: boolean },
): string {
  const count = (verdict: Verdict): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const counts = `${count('pass')} passed, ${count('warn')} to look at, ${count('fail')} failed`;
  const rest = leftOut.length > 6 ? `${leftOut.length} more checks` : leftOut.join(', ');
  const next = isOwn && count('fail') === 0 ? '\nNow: npm start' : '';
  return `\n${counts}${leftOut.length === 0 ? '' : `; not looked at because of that: ${rest}`}${next}`;
}

expectReadersToLeave();
main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2; // --help is no fault
  },
);
