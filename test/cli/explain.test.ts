import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { explainConnection } from '../../src/cli/doctor/explain-connection.js';
import { runDoctor, healthy } from './support/run-doctor.js';

/** The files whose errors a call to the token endpoint, or another call of the doctor, can end with. */
const SOURCES = [
  'src/core/oauth/token-endpoint.ts',
  'src/core/oauth/token-response.ts',
  'src/core/oauth/token-set.ts',
  'src/getbill/response-body.ts',
  'src/getbill/tls-pins.ts',
  'src/getbill/unavailable.ts',
];
const NOT_MET = [
  'browser_left', // no browser waits for the doctor
  'getbill_unreachable', // its cause says more
  'token_endpoint_timeout', // of the core with `fetch`
  'token_endpoint_unreachable',
];

function codesIn(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const naming = lines.filter((line) => /\bcode\b/.test(line) && !/^\s*(\*|\/)/.test(line));
  const codes = naming.flatMap((line) => [...line.matchAll(/'([A-Za-z]+(?:_[A-Za-z]+)+)'/g)]);
  return codes.map(([, code = '']) => code);
}

const place = { url: new URL('https://getbill.example'), variable: 'NAME', timeoutMs: 1 };
const causeOf = (code: string): string | undefined =>
  explainConnection(Object.assign(new Error(), { code }), place).cause?.replaceAll(code, '');

describe('the doctor', () => {
  it('explains every code with which a call of its own can end', () => {
    const codes = [...new Set(SOURCES.flatMap(codesIn))].filter((code) => !NOT_MET.includes(code));
    expect(codes).toEqual(expect.arrayContaining(['token_endpoint_busy', 'answer_too_large']));
    expect(codes.filter((code) => causeOf(code) === causeOf('another_code'))).toEqual([]);
  });
});

describe('the doctor, where the token endpoint responds with', () => {
  let sandbox: Sandbox;
  let server: Server;
  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(async () => {
    server.close();
    await sandbox.close();
  });

  /** A token endpoint that takes requests without a client as it should. */
  async function tokenUrl(toClient: RequestListener): Promise<string> {
    server = createServer((req, res) => {
      req.setEncoding('utf8').once('data', (body: string) => {
        if (body.includes('client_id')) toClient(req, res);
        else res.writeHead(401).end('{"error":"invalid_client"}');
      });
    }).listen(0, 'localhost');
    await once(server, 'listening');
    return `http://localhost:${(server.address() as AddressInfo).port}/oauth/token`;
  }

  it.each<[string, RequestListener, RegExp, RegExp]>([
    ['503', (_req, res) => res.writeHead(503).end(), /is overloaded, or has an error/, /ask GetBill/],
    ['429', (_req, res) => res.writeHead(429).end(), /is overloaded, or has an error/, /wait a moment/],
    ['a page', (_req, res) => res.end('<p>'), /holds no usable token/, /check that GETBILL_TOKEN_URL/],
    ['300 KB', (_req, res) => res.end('x'.repeat(300_000)), /is too large/, /correct GETBILL_TOKEN_URL/],
  ])('%s, does not say that it gave no response', async (_what, toClient, cause, fix) => {
    const { line } = await runDoctor({
      ...healthy(sandbox),
      GETBILL_TOKEN_URL: await tokenUrl(toClient),
    });
    const found = line('client credentials');
    expect(found?.cause).toMatch(cause);
    expect(found?.fix).toMatch(fix);
  }); // prettier-ignore
});
