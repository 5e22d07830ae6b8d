import { CommanderError } from 'commander';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load.js';
import { StorageError } from '../errors.js';
import { createServices } from '../services.js';
import type { Run } from './deps.js';
import { orRunningDemo, loadDotenv, withThrowawaySecrets } from './environment.js';
import { exitCodeOf, exitCodes } from './exit-codes.js';
import { explainError } from './explain-error.js';
import {
  expectReadersToLeave,
  harmlessStderr,
  proseToStdout,
  toStderr,
  toStdout,
} from './output.js';
import { createProgram } from './program.js';
import { addTryCommand } from './try/command.js';
import { addWebhookCommands } from '../webhooks/commands.js';
import { createProgress, type Progress } from './progress.js';
import { columnsOf } from '../wrap.js';

/** Of a terminal, of `timeout` and of a service manager. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

let config: Config | undefined;
let progress: Progress | undefined;
let interrupted = false as boolean;

/** One command: what it needs is built for it and let go of after it, also on Ctrl-C. */
const run: Run = async (work, { verbose, finishes }) => {
  loadDotenv();
  const env = await orRunningDemo(process.env, toStderr);
  const read = loadConfig({ ...withThrowawaySecrets(env), LOG_LEVEL: verbose ? 'info' : 'silent' });
  config = read;
  const services = await createServices(read, { logTo: harmlessStderr() }).catch(
    (error: unknown) => {
      throw read.redis === undefined ? error : new StorageError(error);
    },
  );

  if (verbose) {
    services.subscribe((event) => {
      if (event.type !== 'api_called') return;
      const { type, method, route, status, durationMs } = event;
      services.log.info({ method, route, status, durationMs }, type);
    });
  }

  const stopping = new AbortController();
  /** A token call under way ends first and returns its lease; a second Ctrl-C does not wait. */
  const interrupt = (): void => {
    for (const signal of STOP_SIGNALS)
      process.off(signal, interrupt).once(signal, () => process.exit(exitCodes.interrupted));
    if (finishes) {
      toStderr('\nstopping after the call under way; Ctrl-C once more does not wait for it');
      return stopping.abort();
    }
    interrupted = true;
    progress?.stop();
    process.stderr.write('\ninterrupted\n');
    void services.close().finally(() => process.exit(exitCodes.interrupted));
  };
  for (const signal of STOP_SIGNALS) process.once(signal, interrupt);
  try {
    await work(services.appClient, stopping.signal);
    if (stopping.signal.aborted) process.exitCode = exitCodes.interrupted;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, interrupt);
    if (!interrupted) await services.close();
  }
};

const explain = (error: unknown): string => explainError(error, config);

/** An exit code that Ctrl-C has set stays. */
function exitWith(code: number): void {
  process.exitCode ??= code;
}

const program = createProgram({
  run,
  print(text) {
    if (!interrupted) toStdout(text); // all of it, or nothing
  },
  tell(text) {
    if (!interrupted) toStderr(text);
  },
  width: () => columnsOf(process.stdout) ?? Infinity,
  progress(noun) {
    progress = createProgress(process.stderr, noun);
    return progress;
  },
  explain,
  exitWith,
});

const ownConfig = {
  print: (text: string) => void toStdout(text),
  tell: (text: string) => void toStderr(text),
  async config() {
    loadDotenv();
    config = loadConfig(withThrowawaySecrets(await orRunningDemo(process.env, toStderr)));
    return config;
  },
};
addWebhookCommands(program, { ...ownConfig, now: Date.now });
addTryCommand(program, { ...ownConfig, print: proseToStdout, exitWith });

expectReadersToLeave();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  } else if (!interrupted) {
    toStderr(`getbill: ${explain(error)}`);
    process.exitCode = exitCodeOf(error);
  }
}
