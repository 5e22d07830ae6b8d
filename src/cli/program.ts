import { Command, Option } from 'commander';
import {
  resources,
  userColumns,
  type Client,
  type ListRequest,
  type Resource,
} from './resources.js';
import { bodyFrom } from './input.js';
import { numberFrom } from './numbers.js';
import { inJson } from './output.js';
import type { Deps } from './deps.js';
import { USER_AGENT } from '../getbill/user-agent.js';
import { csv, itemTable, listTable, type Row } from './tables.js';
import { statusFrom, unknownStatus } from './statuses.js';
import { totalsOf } from './totals.js';
import { addWriteCommands } from './write-commands.js';

interface Flags {
  json?: true;
  verbose?: true;
}

interface CallFlags extends Flags {
  from?: string;
  dryRun?: true;
}

interface ListFlags extends Flags, ListRequest {
  csv?: true;
  all?: true;
  maxWait: number;
}

/** The commands. Each asks GetBill for a token with the one scope it needs. */
export function createProgram(deps: Deps): Command {
  const { run, print, tell, width, progress } = deps;
  const program = new Command('getbill')
    .description('Calls the GetBill API with the client credentials of .env.')
    .exitOverride()
    .version(USER_AGENT.replace('/', ' '))
    .addHelpText('after', HELP);

  /** Every command can answer in JSON, and tell what it does. */
  const leaf = (parent: Command, name: string, description: string): Command =>
    parent
      .command(name)
      .description(description)
      .option('--json', 'JSON instead of a table')
      .option('--verbose', 'log every call on standard error');

  const show = (item: Row, { json }: Flags): void => print(json ? inJson(item) : itemTable(item));

  function one(
    parent: Command,
    name: string,
    description: string,
    read: (client: Client, id: string) => Promise<Row>,
  ) {
    leaf(parent, name, description).action(async (...given: unknown[]) => {
      const flags = given.at(-2) as Flags;
      const id = typeof given[0] === 'string' ? given[0] : '';
      await run(async (client) => show(await read(client, id), flags), {
        verbose: flags.verbose === true,
      });
    });
  }

  const company = program.command('company').description('your own company');
  one(company, 'profile', 'name and contact', async (client) => ({
    ...(await client.companyProfile()),
  }));
  one(company, 'credits', 'credits left, and the subscription', async (client) => ({
    ...(await client.credits()),
  }));

  leaf(program, 'users', 'the users of your company').action(async (flags: Flags) => {
    const work = async (client: Client): Promise<void> => {
      const users = (await client.users()).map((user) => ({ ...user }));
      print(flags.json ? inJson(users) : listTable(userColumns, users, width()));
    };
    await run(work, { verbose: flags.verbose === true });
  });

  const parents: Record<string, Command> = {};
  for (const [name, resource] of Object.entries(resources)) {
    const parent = program.command(name).description(`the ${resource.noun}s of your company`);
    parents[name] = parent;
    addList(parent, resource);
    one(parent, 'get <id>', `one ${resource.noun}`, (client, id) => resource.get(client, id));
  }
  addWriteCommands(parents, leaf, deps);
  addCall();
  return program;

  function addCall(): void {
    leaf(
      program,
      'call <method> <path>',
      'any documented call, such as: call POST /followups --from followup.json',
    )
      .option('--from <file>', 'JSON file that is sent as the body')
      .option('--dry-run', 'show what would be sent, and send nothing')
      .action(async (method: string, path: string, flags: CallFlags) => {
        const body = flags.from === undefined ? undefined : bodyFrom(flags.from);
        if (flags.dryRun)
          return print(
            [`${method.toUpperCase()} ${path}`, ...(body === undefined ? [] : [inJson(body)])].join(
              '\n',
            ),
          );
        const work = async (client: Client): Promise<void> => {
          const [plainPath = '', search] = path.split('?');
          const query = Object.fromEntries(new URLSearchParams(search));
          print(
            inJson((await client.call(method.toUpperCase(), plainPath, { query, body })) ?? null),
          );
        };
        await run(work, { verbose: flags.verbose === true });
      });
  }

  function addList(parent: Command, resource: Resource): void {
    const list = leaf(parent, 'list', `a page of ${resource.noun}s, or all of them`)
      .option('--limit <n>', 'how many a page, up to 100', numberFrom(1, 100))
      .option(
        '--page <n>',
        'which page, from 1; with --all where to begin',
        numberFrom(1, 1_000_000),
      )
      .option('--all', 'every page to the last, with progress on standard error')
      .addOption(
        new Option('--max-wait <seconds>', "with --all: the longest wait for GetBill's limit")
          .default(60)
          .argParser(numberFrom(0, 86_400)),
      )
      .option('--csv', 'CSV instead of a table, a field per column');
    if (resource.filters.includes('status')) {
      const example =
        resource.noun === 'debt' ? 'paid, or spelled out: status.default.paid' : 'delivered';
      list.option('--status <status>', `only this one: ${example}`);
    }
    if (resource.filters.includes('debt')) list.option('--debt <id>', 'only those of this debt');
    list.action(async (flags: ListFlags) => {
      const work = flags.all ? listAll : listPage;
      await run((client) => work(client, resource, flags), { verbose: flags.verbose === true });
    });
  }

  async function listPage(client: Client, resource: Resource, flags: ListFlags): Promise<void> {
    const { items, pagination } = await resource.list(client, requestOf(resource, flags));
    const { page, pages, total } = pagination;
    printList(resource, items, flags);
    if (flags.json && items.length > 0) return;
    if (items.length > 0) {
      const next = page < pages ? `; next: --page ${page + 1}, or --all` : '';
      tell(`page ${page} of ${pages}, ${total} in all${next}`);
    } else if (page > 1 && total > 0) {
      tell(`there is no page ${page}: the last one is ${pages}`);
    } else {
      tellNothing(resource, flags);
    }
  }

  function tellNothing({ noun }: Resource, { status }: ListFlags): void {
    const unknown = noun === 'debt' && status !== undefined ? unknownStatus(status) : undefined;
    tell(unknown ?? `no ${noun} here${status === undefined ? '' : ` has the status ${status}`}`);
  }

  /** An empty list is `[]` in JSON, a line of headings in CSV, and no table at all. */
  function printList({ columns }: Resource, items: readonly Row[], flags: ListFlags): void {
    if (flags.json) print(inJson(items));
    else if (flags.csv) print(csv(columns, items));
    else if (items.length > 0) print(listTable(columns, items, width()));
  }

  /** Shows what has come also when it stops before the end: nothing that was paid for from the quota is lost. */
  async function listAll(client: Client, resource: Resource, flags: ListFlags): Promise<void> {
    const { page: from = 1, limit: perPage = 100, ...filters } = requestOf(resource, flags);
    const shown = progress();
    const items: Row[] = [];
    try {
      const all = client.all<Row>((request) => resource.list(client, { ...filters, ...request }), {
        from,
        perPage,
        maxWaitMs: flags.maxWait * 1000,
        onPage: (pagination) => shown.page(pagination),
        onWait: (wait) => shown.wait(wait),
      });
      for await (const item of all) items.push(item);
    } finally {
      shown.stop();
      printList(resource, items, flags);
    }
    if (items.length === 0) tellNothing(resource, flags);
    else if (!flags.json && resource.noun === 'debt') tell(totalsOf(items));
  }
}

function requestOf(
  { noun }: Resource,
  { page, limit, status: given, debt }: ListRequest,
): ListRequest {
  const status = given !== undefined && noun === 'debt' ? statusFrom(given) : given;
  return {
    ...(page !== undefined && { page }),
    ...(limit !== undefined && { limit }),
    ...(status !== undefined && { status }),
    ...(debt !== undefined && { debt }),
  };
}

const HELP = `
Examples:
  getbill company profile
  getbill debts list --status paid --limit 20
  getbill debts list --all --json | jq length
  getbill debts list --all --csv > debts.csv
  getbill followups list --debt <id>
  getbill debts create --from debts.json --dry-run
  getbill debts create --resume debts.report.json
  getbill debts delete <id> --yes
  getbill call POST /followups --from followup.json --dry-run
  getbill webhooks trigger debt.updated
  getbill try

Data goes to standard output, everything else to standard error. In a pipe:
npx getbill ..., or npm run --silent getbill -- ..., since npm run prints lines
of its own.

Exit codes: 0 done, 1 a bug, 2 usage, 3 configuration, 4 refused, 5 limit, 6 no answer, 130 Ctrl-C.`;
