import fc from 'fast-check';
import { endpoints, matchEndpoint } from '../../src/getbill/endpoints.js';

const PARTS = [
  ...endpoints.flatMap(({ path }) => path.split('/')),
  ...[
    '',
    '.',
    '..',
    '%2e%2e',
    '%2F',
    '\\',
    '//',
    '@evil.test',
    ':80',
    '#',
    '?',
    ';',
    '\r\n',
    '\0',
    '\u2024',
    'd1',
  ],
  'a'.repeat(129),
];
const part = fc.oneof(
  fc.constantFrom(...PARTS),
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^[\w-]{1,40}$/),
);
const path = fc.oneof(
  fc.array(part, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`),
  fc.tuple(fc.webUrl(), part).map(([url, end]) => url + end),
  fc.string({ unit: 'binary' }),
);
const method = fc.oneof(
  fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'),
  fc.string(),
);

/** For `npm test` and, with more runs, for the soak. */
export function describeMatching({ runs }: { runs: number }): void {
  describe(`a target made up, ${runs} times`, () => {
    it('matches nothing, or one endpoint whose path and host it cannot leave', () => {
      const property = fc.property(method, path, (asked, target) => {
        const match = matchEndpoint(asked, target);
        if (!('endpoint' in match)) {
          expect(match.allow).not.toContain(asked);
          return;
        }
        const { endpoint } = match;
        expect([endpoints.includes(endpoint), endpoint.method]).toEqual([true, asked]);
        const url = new URL(`https://getbill.test/external-api/v1${target}`);
        expect([url.host, url.search, url.hash, url.username]).toEqual([
          'getbill.test',
          '',
          '',
          '',
        ]);
        expect(url.pathname).toBe(`/external-api/v1${target}`); // nothing that a URL parser would resolve
        const given = target.split('/');
        const wanted = endpoint.path.split('/');
        expect(given).toHaveLength(wanted.length);
        wanted.forEach((name, index) => {
          if (name !== '{id}') expect(given[index]).toBe(name);
        });
      });
      fc.assert(property, { numRuns: runs });
    });
  });
}
