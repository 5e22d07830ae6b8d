import { Command, InvalidArgumentError, Option } from 'commander';
import { resources, userColumns, type Client, type ListRequest, type Resource } from './resources.js';
import { inJson } from './output.js';
import type { Progress } from './progress.js';
import { itemTable, listTable, type Row } from './tables.js';

/** Runs one command with a client, and ends what it needs. */
export type Run = (work: (client: Client) => Promise<void>, options: { verbose: boolean }) => Promise<void>;

interface Flags {
  json?: true;
  verbose?: true;
}

interface ListFlags extends Flags, ListRequest {
  all?: true;
  maxWait: number;
}

export interface Deps {
  run: Run;
  print: (text: string) => void;
  progress: () => Progress;
}

/** The commands. Each asks GetBill for a token with the one scope it needs. */
export function createProgram({ run, print, progress }: Deps): Command {
  const program = new Command('getbill')
    .description('Reads from the GetBill API with the client credentials of .env.')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 2 usage, 3 configuration, 4 refused, 5 limit, 6 no answer, 130 Ctrl-C.',
    );

  /** Every command can answer in JSON, and tell what it does. */
  const leaf = (parent: Command, name: string, description: string): Command =>
    parent
      .command(name)
      .description(description)
      .option('--json', 'JSON instead of a table')
      .option('--verbose', 'log every call on standard error');

  const show = (item: Row, { json }: Flags): void => print(json ? inJson(item) : itemTable(item));

  function one(parent: Command, name: string, description: string, read: (client: Client, id: string) => Promise<Row>) {
    leaf(parent, name, description).action(async (...given: unknown[]) => {
      const flags = given.at(-2) as Flags;
      const id = typeof given[0] === 'string' ? given[0] : '';
      await run(async (client) => show(await read(client, id), flags), { verbose: flags.verbose === true });
    });
  }

  const company = program.command('company').description('your own company');
  one(company, 'profile', 'name and contact', async (client) => ({ ...(await client.companyProfile()) }));
  one(company, 'credits', 'credits left, and the subscription', async (client) => ({ ...(await client.credits()) }));

  leaf(program, 'users', 'the users of your company').action(async (flags: Flags) => {
    const work = async (client: Client): Promise<void> => {
      const users = (await client.users()).map((user) => ({ ...user }));
      print(flags.json ? inJson(users) : listTable(userColumns, users));
    };
    await run(work, { verbose: flags.verbose === true });
  });

  for (const [name, resource] of Object.entries(resources)) {
    const parent = program.command(name).description(`the ${resource.noun}s of your company`);
    addList(parent, resource);
    one(parent, 'get <id>', `one ${resource.noun}`, (client, id) => resource.get(client, id));
  }
  return program;

  function addList(parent: Command, resource: Resource): void {
    const list = leaf(parent, 'list', `a page of ${resource.noun}s, or all of them`)
      .option('--limit <n>', 'how many a page, up to 100', numberFrom(1, 100))
      .option('--page <n>', 'which page, from 1; with --all where to begin', numberFrom(1, 1_000_000))
      .option('--all', 'every page to the last, with progress on standard error')
      .addOption(
        new Option('--max-wait <seconds>', "with --all: the longest wait for GetBill's limit")
          .default(60)
          .argParser(numberFrom(0, 86_400)),
      );
    if (resource.filters.includes('status'))
      list.option('--status <status>', 'only this one, spelled exactly: status.default.paid');
    if (resource.filters.includes('debt')) list.option('--debt <id>', 'only those of this debt');
    list.action(async (flags: ListFlags) => {
      const work = flags.all ? listAll : listPage;
      await run((client) => work(client, resource, flags), { verbose: flags.verbose === true });
    });
  }

  async function listPage(client: Client, resource: Resource, flags: ListFlags): Promise<void> {
    const { items, pagination } = await resource.list(client, requestOf(flags));
    if (flags.json) return print(inJson(items));
    const { page, pages, total } = pagination;
    print(listTable(resource.columns, items));
    print(`page ${page} of ${pages}, ${total} in all${page < pages ? `; next: --page ${page + 1}, or --all` : ''}`);
  }

  /** Shows what has come also when it stops before the end: nothing that was paid for from the quota is lost. */
  async function listAll(client: Client, resource: Resource, flags: ListFlags): Promise<void> {
    const { page: from = 1, limit: perPage = 100, ...filters } = requestOf(flags);
    const shown = progress();
    const items: Row[] = [];
    try {
      const all = client.all<Row>((request) => resource.list(client, { ...filters, ...request }), {
        from,
        perPage,
        longestWaitMs: flags.maxWait * 1000,
        onPage: (pagination) => shown.page(pagination),
        onWait: (wait) => shown.wait(wait),
      });
      for await (const item of all) items.push(item);
    } finally {
      shown.stop();
      if (items.length > 0 || flags.json) print(flags.json ? inJson(items) : listTable(resource.columns, items));
    }
  }
}

function requestOf({ page, limit, status, debt }: ListRequest): ListRequest {
  return {
    ...(page !== undefined && { page }),
    ...(limit !== undefined && { limit }),
    ...(status !== undefined && { status }),
    ...(debt !== undefined && { debt }),
  };
}

const numberFrom =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`A whole number from ${least} to ${most}.`);
    return value;
  };
