import { execFileSync } from 'node:child_process';
import { runInNewContext } from 'node:vm';
import { documentation } from '../../src/explorer/documentation.js';
import { findOperation, operations, type Operation } from '../../src/explorer/operations.js';
import { prettyJson } from '../../src/explorer/pretty-json.js';
import { buildRequest, exampleRequest, fieldsOf } from '../../src/explorer/request.js';
import { samplesOf } from '../../src/explorer/samples.js';
import { indexView } from '../../src/explorer/view.js';
import { endpoints } from '../../src/getbill/endpoints.js';

const operation = (slug: string): Operation => {
  const found = findOperation(slug);
  if (found === undefined) throw new Error(slug);
  return found;
};

describe('the operations', () => {
  it('are the endpoints of the allow-list, all documented, each under an address of its own', () => {
    expect(operations.map(({ endpoint }) => endpoint)).toEqual(endpoints);
    expect(Object.keys(documentation).sort()).toEqual(
      endpoints.map(({ method, path }) => `${method} ${path}`).sort(),
    );
    expect(new Set(operations.map(({ slug }) => slug)).size).toBe(operations.length);
    for (const { slug } of operations) expect(slug).toMatch(/^[a-z]+(-[a-z]+)+$/);
  });

  it('stand in groups, and say which of them are not granted', () => {
    const groups = indexView(['debts:read']);
    expect(groups.map(({ name }) => name)).toEqual(['Company', 'Debts', 'Debtors', 'Creditors', 'Follow-ups', 'Reports']); // prettier-ignore
    const cards = groups.flatMap((group) => group.cards);
    expect(cards).toHaveLength(operations.length);
    expect(cards.filter(({ isGranted }) => isGranted).every(({ scope }) => scope === 'debts:read')).toBe(true); // prettier-ignore
  });

  it.each(operations.map((one) => [one.slug, one]))('%s builds its request from a new form', (_slug, one) => {
    const fields = { ...fieldsOf(one, undefined), ...(one.id !== undefined && { id: 'abc' }) };
    const built = buildRequest(one, fields);
    expect(built).toMatchObject({ request: { path: one.endpoint.path.replace('{id}', 'abc') } });
  }); // prettier-ignore

  it('an id that is another endpoint is none', () => {
    expect(buildRequest(operation('delete-debts-id'), { id: 'batch' })).toHaveProperty('faults.id');
  });

  it('takes text from a form, and no other value', () => {
    const fields = fieldsOf(operation('put-debts-id'), { id: ['a', 'b'], body: '{\r\n}', __proto__: { id: 'x' } }); // prettier-ignore
    expect(fields).toEqual({ id: '', body: '{\n}' });
  });
});

describe('JSON on a page', () => {
  it.each([
    ['{"a":[1,{"b":null}],"c":{},"d":[]}', '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": {},\n  "d": []\n}'],
    ['{"n":1.0e999,"n":12345678901234567890}', '{\n  "n": 1.0e999,\n  "n": 12345678901234567890\n}'],
    ['"a \\" , { b"', '"a \\" , { b"'],
    [' true ', 'true'],
    ['', ''],
    [']]]', ']\n]\n]'],
  ])('%s has line breaks and its own values', (json, pretty) => {
    expect(prettyJson(json, 1_000)).toEqual({ text: pretty.replace(/^\n/, ''), isWhole: true });
  }); // prettier-ignore

  it('ends at its limit, whatever it is made of', () => {
    for (const json of ['['.repeat(100_000), '"' + 'x'.repeat(300_000), '{"a":'.repeat(50_000), '\\'.repeat(100_000), '"\\'.repeat(100_000)]) {
      const { text, isWhole } = prettyJson(json, 500);
      expect([text.length, isWhole]).toEqual([500, false]);
    }
  }); // prettier-ignore
});

describe('the same call in code', () => {
  const apiUrl = new URL('https://getbill.example/external-api/v1/');
  const body = `{"notes":"it's $HOME \`x\` \\"y\\""}`;
  const request = { path: '/followups', query: '', body };

  it('is read by a shell as it was meant', () => {
    const [curl] = samplesOf(operation('post-followups'), request, { apiUrl });
    const script = `curl() { for one in "$@"; do printf '%s\\0' "$one"; done; }\n${curl?.code ?? ''}`;
    const args = execFileSync('bash', ['-c', script], { env: { ACCESS_TOKEN: 'T' }, encoding: 'utf8' }); // prettier-ignore
    expect(args.split('\0').slice(0, -1)).toEqual([
      '-X', 'POST', 'https://getbill.example/external-api/v1/followups',
      '-H', 'Authorization: Bearer T', '-H', 'Content-Type: application/json', '--data-binary', body,
    ]); // prettier-ignore
  });

  it('is JavaScript that sends the same JSON', async () => {
    const [, fetchSample] = samplesOf(operation('post-followups'), request, { apiUrl });
    const sent: unknown[] = [];
    const fetch = async (...args: unknown[]) => {
      sent.push(args);
      return { status: 201, json: async () => ({ csrfToken: 'c' }) };
    };
    const script = `(async () => { ${fetchSample?.code ?? ''} })()`;
    await runInNewContext(script, { fetch, console: { log: () => undefined } });
    expect(sent[1]).toEqual(['/api/followups', { method: 'POST', headers: { 'X-CSRF-Token': 'c', 'Content-Type': 'application/json' }, body: JSON.stringify(JSON.parse(body)) }]); // prettier-ignore
  });

  it('of a form that is not filled in has a word for the id', () => {
    const one = operation('get-debts-id');
    const codes = samplesOf(one, exampleRequest(one), { apiUrl }).map(({ code }) => code);
    expect(codes[0]).toContain('/external-api/v1/debts/ID');
    expect(codes[2]).toBe('npm run getbill -- call GET /debts/ID');
  });
});
