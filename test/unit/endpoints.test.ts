/// <reference types="jest" />
import { endpoints, limitClassOf, matchEndpoint } from '../../src/getbill/endpoints.js';
import { describeMatching } from '../support/endpoint-property.js';

function matched(method: string, path: string): string {
  const match = matchEndpoint(method, path);
  return 'endpoint' in match
    ? `${match.endpoint.path} ${match.endpoint.scope}`
    : `allow ${match.allow.join()}`;
}

describe('the allow-list of the API', () => {
  it.each(endpoints.map((endpoint) => [endpoint.method, endpoint.path, endpoint.scope] as const))(
    'has %s %s with the scope %s',
    (method, path, scope) => {
      expect(matched(method, path.replace('{id}', 'a1_B-2'))).toBe(`${path} ${scope}`);
    },
  );

  it('lists every line once', () => {
    const lines = endpoints.map(({ method, path }) => `${method} ${path}`);
    expect(lines).toEqual([...new Set(lines)]);
  });

  it('asks for a write scope exactly where something is written', () => {
    for (const endpoint of endpoints) {
      expect([endpoint.path, endpoint.scope.endsWith(':write')]).toEqual([endpoint.path, limitClassOf(endpoint) === 'write']); // prettier-ignore
    }
  });

  it.each([
    // a literal path shadows an id of the same spelling, for every method
    ['GET', '/debts/batch', 'allow POST'],
    ['PUT', '/debts/batch', 'allow POST'],
    ['DELETE', '/debts/batch', 'allow POST'],
    ['POST', '/debts/batch', '/debts/batch debts:write'],
    ['GET', '/debts/batch2', '/debts/{id} debts:read'],
    ['GET', '/debts/by-debtor', '/debts/{id} debts:read'],
    ['GET', '/debts/by-debtor/x', '/debts/by-debtor/{id} debts:read'],
    ['GET', '/followups/debt', '/followups/{id} followups:read'],
    ['GET', '/reports/download', '/reports/{id} reports:read'],
    // a method that the path does not have
    ['PATCH', '/debts/d1', 'allow GET,PUT,DELETE'],
    ['DELETE', '/debts', 'allow GET,POST'],
    ['POST', '/company/profile', 'allow GET'],
    ['HEAD', '/debts', 'allow GET,POST'],
    ['OPTIONS', '/debts', 'allow GET,POST'],
    ['get', '/debts', 'allow GET,POST'],
  ])('answers %s %s with %s', (method, path, outcome) => {
    expect(matched(method, path)).toBe(outcome);
  });

  it.each([
    '',
    '/',
    '/debts/',
    '//debts',
    '/debts//d1',
    '/Debts',
    '/debts/d1/',
    '/debts/d1/extra',
    '/debts/d%201',
    '/debts/%64%31',
    '/debts/d1%2f..%2fcompany',
    '/debts/..',
    '/debts/.',
    '/debts/%2e%2e',
    '/debts/../company/profile',
    '/debts\\d1',
    '/debts/d1?x=1',
    '/debts/d1#x',
    '/debts/d1;v=1',
    '/debts/d1\n',
    '/debts/\n',
    '/debts/é',
    '/debts/{id}',
    `/debts/${'a'.repeat(129)}`,
    '/company',
    '/oauth/token',
    '/users',
    'debts',
  ])('does not know %j, by any method', (path) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect(matched(method, path)).toBe('allow ');
  });

  it('takes an id of 128 characters', () => {
    expect(matched('GET', `/debts/${'a'.repeat(128)}`)).toBe('/debts/{id} debts:read');
  });
});

describeMatching({ runs: 200 });
