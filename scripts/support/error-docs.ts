// The documents in docs/errors, made from the table of error codes, as are the pages under /errors.
import { errorCatalogue, type ErrorEntry } from '../../src/web/pages/error-catalogue.js';
import { errorGroups } from '../../src/error-facts.js';

const WRITTEN = '<!-- written by npm run docs from src/web/pages/error-catalogue.ts -->';

/** The text of each file, by its name in docs/errors. */
export function errorDocuments(): ReadonlyMap<string, string> {
  const documents = new Map([['README.md', index()]]);
  for (const entry of errorCatalogue) documents.set(`${entry.code}.md`, documentOf(entry));
  return documents;
}

function index(): string {
  const sections = errorGroups.map((name) => {
    const rows = errorCatalogue
      .filter(({ group }) => group === name)
      .map(({ code, title, cause }) => `| [\`${code}\`](${code}.md) | ${title} | ${cause} |`);
    return `## ${name}\n\n| code | a visitor reads | cause |\n| --- | --- | --- |\n${rows.join('\n')}`;
  });
  const intro =
    'Every error of the app has a code: `error` in JSON, with `doc_url`, which leads to the same text under `/errors`; `code` in the log.';
  return [WRITTEN, '# Error codes', intro, ...sections].join('\n\n');
}

function documentOf({ code, group, status, title, why, advice, cause, fix, guide }: ErrorEntry) {
  const place = status === undefined ? group : `${group}, HTTP status ${status}`;
  const parts = [
    WRITTEN,
    `# ${code}`,
    `${place}. [All error codes](README.md)`,
    `**Cause:** ${cause}`,
    `**What to do:** ${fix}`,
  ];
  if (guide !== undefined) {
    const solutions = guide.solutions.map((solution) => `- ${solution}`).join('\n');
    parts.push('## In GetBill’s guide', guide.cause, solutions);
  }
  parts.push('## What a visitor reads', `**${title}**`, `${why} ${advice}`);
  return parts.join('\n\n');
}
