import { Option, type Command } from 'commander';
import { assertInput } from '../getbill/check-input.js';
import { documentedEndpoint } from '../getbill/client.js';
import { MAX_BATCH, type writeRules } from '../getbill/write-rules.js';
import { createDebts, type BatchFlags } from './batch/create-debts.js';
import { manyDebtsOf } from './batch/debts-file.js';
import { refuseListOptions } from './contradictions.js';
import { bodyFrom, misused } from './input.js';
import { inJson } from './output.js';
import type { Deps, Flags, AddSubcommand } from './deps.js';
import type { Client } from './resources.js';
import { numberFrom } from './numbers.js';
import { confirm } from './prompt.js';
import { itemTable, type Row } from './tables.js';

interface WriteFlags extends Flags {
  dryRun?: true;
}
interface FromFlags extends WriteFlags {
  from: string;
}

const BODY = 'JSON file with the fields of GetBill; "-" is standard input';
const DRY_RUN = 'check it and show what would be sent; send nothing';

const UPDATES = {
  debts: { noun: 'debt', rule: 'debtChange', update: 'updateDebt' },
  debtors: { noun: 'debtor', rule: 'debtorChange', update: 'updateDebtor' },
  creditors: { noun: 'creditor', rule: 'creditorChange', update: 'updateCreditor' },
  followups: { noun: 'follow-up', rule: 'followupChange', update: 'updateFollowup' },
} as const;

/** `create`, `update` and `delete`, where GetBill documents them. `parents`: by resource. */
export function addWriteCommands(
  parents: Readonly<Record<string, Command>>,
  addSubcommand: AddSubcommand,
  deps: Deps,
): void {
  const { run, print, tell, width } = deps;

  async function send(
    { method, path, rule, body }: Call,
    flags: WriteFlags,
    write: (client: Client) => Promise<Row>,
  ): Promise<void> {
    documentedEndpoint(method, path);
    assertInput(rule, body);
    if (flags.dryRun) return print(`${method} ${path}\n${inJson(body)}`);
    const work = async (client: Client): Promise<void> => {
      const item = await write(client);
      print(flags.json ? inJson(item) : itemTable(item, width()));
    };
    await run(work, flags);
  }

  for (const [name, { noun, rule, update }] of Object.entries(UPDATES)) {
    const parent = parents[name];
    if (parent === undefined) continue;
    addSubcommand(parent, 'update <id>', `change the fields of a ${noun} that a file names`)
      .requiredOption('--from <file>', BODY)
      .option('--dry-run', DRY_RUN)
      .action(async (id: string, flags: FromFlags) => {
        const body = bodyFrom(flags.from);
        const call = { method: 'PUT', path: `/${name}/${id}`, rule, body };
        await send(call, flags, (client) => client[update](id, body as never));
      });
  }

  const { debts, followups } = parents;
  if (debts !== undefined) {
    addCreateDebts(debts);
    addDelete(debts);
  }
  if (followups !== undefined) {
    addSubcommand(followups, 'create', 'create a follow-up from a file')
      .requiredOption('--from <file>', BODY)
      .option('--dry-run', DRY_RUN)
      .action(async (flags: FromFlags) => {
        const body = bodyFrom(flags.from);
        const call = { method: 'POST', path: '/followups', rule: 'newFollowup', body } as const;
        await send(call, flags, (client) => client.createFollowup(body as never));
      });
  }

  function addDelete(parent: Command): void {
    addSubcommand(parent, 'delete <id>', 'delete a debt and its follow-ups, for good')
      .option('--yes', 'do not ask')
      .option('--dry-run', 'show what would be sent; send nothing')
      .action(async (id: string, flags: WriteFlags & { yes?: true }) => {
        documentedEndpoint('DELETE', `/debts/${id}`);
        if (flags.dryRun) return print(`DELETE /debts/${id}`);
        if (!(await confirm(`Delete debt ${id} and its follow-ups for good?`, flags)))
          return tell('nothing was deleted');
        const work = async (client: Client): Promise<void> => {
          await client.deleteDebt(id);
          if (flags.json) print(inJson({ id, deleted: true }));
          else tell(`deleted: ${id}`);
        };
        await run(work, flags);
      });
  }

  function addCreateDebts(parent: Command): void {
    const batches = createDebts(deps);
    const create = addSubcommand(parent, 'create', 'create one debt, or all of a list, from a file')
      .option('--from <file>', `${BODY}; a list of debts is sent in batches`)
      .option('--dry-run', DRY_RUN)
      .option('--report <file>', 'where to keep what became of each; by default beside the file')
      .option('--resume <report>', 'go on with what failed or was not sent; nothing goes twice')
      .option('--send-unknown', 'with --resume: also those that are not found at GetBill')
      .addOption(
        new Option('--batch-size <n>', `debts in one call, up to ${MAX_BATCH}`)
          .default(100)
          .argParser(numberFrom(1, MAX_BATCH)),
      )
      .addOption(
        new Option('--max-wait <seconds>', "the longest wait for GetBill's limit")
          .default(60)
          .argParser(numberFrom(0, 86_400)),
      )
      .action(async (flags: BatchFlags & { from?: string; resume?: string }) => {
        const { from, resume } = flags;
        if ((from === undefined) === (resume === undefined))
          misused('either --from <file>, or --resume <report>');
        if (resume !== undefined) return await batches.resume(resume, flags);
        if (flags.sendUnknown) misused('--send-unknown is for --resume <report>');
        const body = bodyFrom(from ?? '');
        const many = manyDebtsOf(body);
        if (many === undefined) {
          refuseListOptions(create);
          const call = { method: 'POST', path: '/debts', rule: 'newDebt', body } as const;
          return await send(call, flags, (client) => client.createDebt(body as never));
        }
        await batches.begin(many, from ?? '', flags);
      });
  }
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly rule: keyof typeof writeRules;
  readonly body: unknown;
}
