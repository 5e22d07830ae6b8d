import { Command } from 'commander';
import { USER_AGENT } from '../getbill/user-agent.js';
import { documentedEndpoint } from '../getbill/client.js';
import type { Deps, Flags, AddSubcommand } from './deps.js';
import { refuseContradictions } from './contradictions.js';
import { bodyFrom, misused } from './input.js';
import { addListCommand } from './list-command.js';
import { inJson } from './output.js';
import { resources, userColumns, type Client } from './resources.js';
import { itemTable, listTable, type Row } from './tables.js';
import { wrap } from '../wrap.js';
import { addWriteCommands } from './write-commands.js';

interface CallFlags extends Flags {
  from?: string;
  dryRun?: true;
}

/** The commands. Each asks GetBill for a token with the one scope it needs. */
export function createProgram(deps: Deps): Command {
  const { run, print, width } = deps;
  const program = new Command('getbill')
    .description('Calls the GetBill API with the client credentials of .env.')
    .exitOverride()
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({ writeErr: (text) => deps.tell(text.trimEnd()) })
    .version(USER_AGENT.replace('/', ' '))
    .addHelpText('after', () => wrap(HELP, width()));

  const addSubcommand: AddSubcommand = (parent, name, description) =>
    parent
      .command(name)
      .description(description)
      .option('--json', 'JSON instead of a table')
      .option('--verbose', 'log every call on standard error')
      .hook('preAction', (_parent, command) => refuseContradictions(command));

  const show = (item: Row, { json }: Flags): void =>
    print(json ? inJson(item) : itemTable(item, width()));

  function addItemCommand(
    parent: Command,
    name: string,
    description: string,
    read: (client: Client, id: string) => Promise<Row>,
  ) {
    addSubcommand(parent, name, description).action(async function (this: Command) {
      const [id = ''] = this.args;
      const flags = this.opts<Flags>();
      await run(async (client) => show(await read(client, id), flags), flags);
    });
  }

  const company = program.command('company').description('your own company');
  addItemCommand(company, 'profile', 'name and contact', async (client) => ({
    ...(await client.companyProfile()),
  }));
  addItemCommand(company, 'credits', 'credits left, and the subscription', async (client) => ({
    ...(await client.credits()),
  }));

  addSubcommand(program, 'users', 'the users of your company').action(async (flags: Flags) => {
    const work = async (client: Client): Promise<void> => {
      const users = (await client.users()).map((user) => ({ ...user }));
      print(flags.json ? inJson(users) : listTable(userColumns, users, width()));
    };
    await run(work, flags);
  });

  const parents: Record<string, Command> = {};
  for (const [name, resource] of Object.entries(resources)) {
    const parent = program.command(name).description(`the ${resource.noun}s of your company`);
    parents[name] = parent;
    addListCommand(parent, resource, addSubcommand, deps);
    addItemCommand(parent, 'get <id>', `one ${resource.noun}`, (client, id) =>
      resource.get(client, id),
    );
  }
  if (parents['reports'] !== undefined)
    addItemCommand(
      parents['reports'],
      'download <id>',
      'the link to the file of a report, good for an hour',
      async (client, id) => ({ ...(await client.reportDownload(id)) }),
    );
  addWriteCommands(parents, addSubcommand, deps);
  addCall();
  return program;

  function addCall(): void {
    addSubcommand(
      program,
      'call <method> <path>',
      'any documented call, such as: call POST /followups --from followup.json',
    )
      .option('--from <file>', 'JSON file that is sent as the body')
      .option('--dry-run', 'show what would be sent, and send nothing')
      .action(async (given: string, path: string, flags: CallFlags) => {
        const method = given.toUpperCase();
        const [plainPath = '', ...search] = path.split('?');
        documentedEndpoint(method, plainPath);
        if (flags.from !== undefined && /^(GET|DELETE)$/.test(method))
          misused(`drop --from: a ${method} has no body`);
        const body = flags.from === undefined ? undefined : bodyFrom(flags.from);
        if (flags.dryRun)
          return print(
            [`${method} ${path}`, ...(body === undefined ? [] : [inJson(body)])].join('\n'),
          );
        const work = async (client: Client): Promise<void> => {
          const query = search.join('?');
          print(inJson((await client.call(method, plainPath, { query, body })) ?? null));
        };
        await run(work, flags);
      });
  }
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

Data goes to standard output, everything else to standard error.
In a pipe: npx getbill ..., or npm run --silent getbill -- ..., since npm run prints lines of its own.

Exit codes: 0 done, 1 a bug, 2 usage, 3 configuration, 4 refused, 5 limit, 6 no response, 130 Ctrl-C.`;
