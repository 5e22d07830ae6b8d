import { hash } from 'node:crypto';
import { parseConfig } from '../../src/config/config.js';
import type { ConfigError } from '../../src/errors.js';

const SESSION_SECRET = 'a-session-secret-of-these-tests-0123';
const KEY = hash('sha256', 'key', 'base64');
const SECRET = 'CANARY-webhook-secret';
const required = {
  GETBILL_CLIENT_ID: 'client',
  GETBILL_CLIENT_SECRET: 'the-client-secret-of-these-tests',
  SESSION_SECRET,
  TOKEN_ENCRYPTION_KEY: KEY,
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseConfig({ ...required, ...env });
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}
const endpointsOf = (env: Record<string, string>) =>
  parseConfig({ ...required, ...env }).webhooks.endpoints.map(({ secrets, ...rest }) => ({
    ...rest,
    secrets: secrets.reveal(),
  }));
const one = { GETBILL_WEBHOOK_SECRET: SECRET, GETBILL_WEBHOOK_COMPANY: 'company-1' };

describe('the settings of webhooks', () => {
  it('are off by default, and name an endpoint for each company', () => {
    expect(endpointsOf({})).toEqual([]);
    expect(
      endpointsOf({ ...one, GETBILL_WEBHOOK_SECRET: `${SECRET}, the-old-secret-of-this` }),
    ).toEqual([{ name: '', companyId: 'company-1', secrets: [SECRET, 'the-old-secret-of-this'] }]);
    const GETBILL_WEBHOOK_ENDPOINTS = ` acme  company-2 secret-of-acme-new secret-of-acme-old, other company-3 secret-with\\,a-comma `;
    expect(endpointsOf({ GETBILL_WEBHOOK_ENDPOINTS })).toEqual([
      {
        name: 'acme',
        companyId: 'company-2',
        secrets: ['secret-of-acme-new', 'secret-of-acme-old'],
      },
      { name: 'other', companyId: 'company-3', secrets: ['secret-with,a-comma'] },
    ]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a short secret', { ...one, GETBILL_WEBHOOK_SECRET: 'CANARY-short' }, /^GETBILL_WEBHOOK_SECRET is shorter than 16/],
    ['a short old secret', { ...one, GETBILL_WEBHOOK_SECRET: `${SECRET},CANARY` }, /^GETBILL_WEBHOOK_SECRET is shorter .*entry 2/],
    ['a placeholder', { ...one, GETBILL_WEBHOOK_SECRET: 'change_me' }, /^GETBILL_WEBHOOK_SECRET still holds a placeholder/],
    ['a secret of nobody', { GETBILL_WEBHOOK_SECRET: SECRET }, /^GETBILL_WEBHOOK_COMPANY is not set/],
    ['a company without a secret', { GETBILL_WEBHOOK_COMPANY: 'c' }, /^GETBILL_WEBHOOK_COMPANY is set, but/],
    ['a company with a space', { ...one, GETBILL_WEBHOOK_COMPANY: 'a b' }, /^GETBILL_WEBHOOK_COMPANY contains a space/],
    ['the session secret', { ...one, GETBILL_WEBHOOK_SECRET: SESSION_SECRET }, /^GETBILL_WEBHOOK_SECRET has the same value as SESSION_SECRET/],
    ['the client secret', { ...one, GETBILL_WEBHOOK_SECRET: required.GETBILL_CLIENT_SECRET }, /same value as GETBILL_CLIENT_SECRET/],
    ['the encryption key', { ...one, GETBILL_WEBHOOK_SECRET: KEY }, /same value as TOKEN_ENCRYPTION_KEY/],
    ['one secret for two companies', { ...one, GETBILL_WEBHOOK_ENDPOINTS: `a c ${SECRET}` }, /^GETBILL_WEBHOOK_ENDPOINTS has the same value as GETBILL_WEBHOOK_SECRET/],
    ['one secret for two endpoints', { GETBILL_WEBHOOK_ENDPOINTS: `a c ${SECRET}, b d ${SECRET}` }, /has the same value as another entry/],
    ['a name twice', { GETBILL_WEBHOOK_ENDPOINTS: `a c ${SECRET}, a d ${SECRET}2` }, /^GETBILL_WEBHOOK_ENDPOINTS has a name twice/],
    ['a name that is no path', { GETBILL_WEBHOOK_ENDPOINTS: `../a c ${SECRET}` }, /^GETBILL_WEBHOOK_ENDPOINTS has a name that/],
    ['an endpoint without a secret', { GETBILL_WEBHOOK_ENDPOINTS: 'a c' }, /^GETBILL_WEBHOOK_ENDPOINTS must be a name, a company id and a secret/],
    ['a short secret of an endpoint', { GETBILL_WEBHOOK_ENDPOINTS: 'a c CANARY' }, /^GETBILL_WEBHOOK_ENDPOINTS has a secret/],
    ['a field that is none', { ...one, GETBILL_WEBHOOK_ID_FIELD: 'a b' }, /^GETBILL_WEBHOOK_ID_FIELD must be/],
    ['replicas of a Cluster', { ...one, GETBILL_WEBHOOK_REPLICAS: '1', REDIS_CLUSTER_NODES: 'redis://a' }, /^GETBILL_WEBHOOK_REPLICAS works/],
  ])('refuse %s at the start, by name and never by value', (_what, env, problem) => {
    const problems = problemsOf(env);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems.join()).not.toContain('CANARY');
  }); // prettier-ignore

  it.each(['GETBILL_WEBHOOK_SECRET', 'GETBILL_WEBHOOK_COMPANY'])(
    'name every fault at once, also beside a faulty %s',
    (name) => {
      const GETBILL_WEBHOOK_ENDPOINTS = `a c ${SECRET}1, a d ${SECRET}2`;
      expect(problemsOf({ ...one, [name]: 'a b', GETBILL_WEBHOOK_ENDPOINTS })).toEqual([
        expect.stringContaining(name),
        expect.stringMatching(/^GETBILL_WEBHOOK_ENDPOINTS has a name twice/),
      ]);
    },
  );
});
