import { Option, type Command } from 'commander';
import { csv } from './csv.js';
import type { Deps, Flags, AddSubcommand } from './deps.js';
import { misused } from './input.js';
import { numberFrom } from './numbers.js';
import type { Pagination } from '../getbill/types.js';
import { inJson } from './output.js';
import type { Client, Filter, ListRequest, Resource } from './resources.js';
import { statusFrom, unknownStatus } from './statuses.js';
import { listTable, type Row } from './tables.js';
import { totalsOf } from './totals.js';

interface ListFlags extends Flags, ListRequest {
  csv?: true;
  all?: true;
  maxWait: number;
}

const FILTERS: Readonly<Record<Filter, readonly [option: string, description: string]>> = {
  status: ['--status <status>', 'only this one, such as paid or delivered; or spelled out'],
  type: ['--type <type>', 'only this one, such as call or financial'],
  debt: ['--debt <id>', 'only those of this debt'],
  debtor: ['--debtor <id>', 'only those of this debtor'],
  creditor: ['--creditor <id>', 'only those owed to this creditor'],
};

/** `list`: a page, or with `--all` every page to the last. */
export function addListCommand(
  parent: Command,
  resource: Resource,
  addSubcommand: AddSubcommand,
  { run, print, tell, width, progress }: Deps,
): void {
  const { noun, columns } = resource;
  const list = addSubcommand(parent, 'list', `a page of ${noun}s, or all of them`)
    .option('--limit <n>', 'how many a page, up to 100', numberFrom(1, 100))
    .option('--page <n>', 'which page, from 1; with --all where to begin', numberFrom(1, 1_000_000))
    .option('--all', 'every page to the last, with progress on standard error')
    .addOption(
      new Option('--max-wait <seconds>', "with --all: the longest wait for GetBill's limit")
        .default(60)
        .argParser(numberFrom(0, 86_400)),
    )
    .option('--csv', 'CSV instead of a table, a field per column');
  for (const filter of resource.filters) list.option(...FILTERS[filter]);
  list.action(async (flags: ListFlags) => {
    if (!flags.all && list.getOptionValueSource('maxWait') === 'cli')
      misused('drop --max-wait, or add --all: one page is asked for once');
    const work = flags.all ? listAll : listPage;
    await run((client) => work(client, flags), flags);
  });

  async function listPage(client: Client, flags: ListFlags): Promise<void> {
    const { items, pagination } = await resource.list(client, requestOf(resource, flags));
    const { page, pages, total } = pagination;
    printList(items, flags);
    if (items.length === 0) return tellNothing(flags, pagination);
    if (flags.json) return;
    const next = page < pages ? `; next: --page ${page + 1}, or --all` : '';
    tell(`page ${page} of ${pages}, ${total} in all${next}`);
  }

  function tellNothing({ status }: ListFlags, { page, pages, total }: Pagination): void {
    if (total > 0 && page > pages)
      return tell(`there is no page ${page}: the last one is ${pages}`);
    if (total > 0) return tell(`GetBill counts ${total}, and sent an empty list: try again`);
    const unknown = noun === 'debt' && status !== undefined ? unknownStatus(status) : undefined;
    tell(unknown ?? `no ${noun} here${status === undefined ? '' : ` has the status ${status}`}`);
  }

  /** An empty list is `[]` in JSON, a line of headings in CSV, and no table at all. */
  function printList(items: readonly Row[], flags: ListFlags): void {
    const rows = items.map(withAmountText);
    if (flags.json) print(inJson(items));
    else if (flags.csv) print(csv(columns, rows));
    else if (items.length > 0) print(listTable(columns, rows, width()));
  }

  /** Also shows what has come before an error: it was paid for from the quota. */
  async function listAll(client: Client, flags: ListFlags): Promise<void> {
    const { page: from = 1, limit: perPage = 100, ...filters } = requestOf(resource, flags);
    const shown = progress();
    const items: Row[] = [];
    let last: Pagination | undefined;
    try {
      const all = client.all<Row>((request) => resource.list(client, { ...filters, ...request }), {
        from,
        perPage,
        maxWaitMs: flags.maxWait * 1000,
        onPage(pagination) {
          last = pagination;
          if (pagination.total > 0 && pagination.page <= pagination.pages) shown.page(pagination);
        },
        onWait: (wait) => shown.wait(wait),
      });
      for await (const item of all) items.push(item);
    } finally {
      shown.stop();
      printList(items, flags);
    }
    if (items.length === 0 && last !== undefined) tellNothing(flags, last);
    else if (!flags.json && noun === 'debt') tell(totalsOf(items));
  }
}

function requestOf(
  { noun }: Resource,
  { page, limit, status: given, type, debt, debtor, creditor }: ListRequest,
): ListRequest {
  const status = given !== undefined && noun === 'debt' ? statusFrom(given) : given;
  const request = { page, limit, status, type, debt, debtor, creditor };
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
}

/** The number of a debt that comes without the text of it. */
const withAmountText = (row: Row): Row => {
  const { amount, amount_text: text = null } = row;
  return text === null && amount !== undefined ? { ...row, amount_text: amount } : row;
};
