/// <reference types="jest" />
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { approve } from '../../sandbox/sign-in.js';
import { codeIn, redirectUri, setUp } from './helpers.js';

/** "Test Client Credentials" of GetBill's OAuth guide, to the letter. */
const TEST_CLIENT_CREDENTIALS = String.raw`curl -X POST https://getbill.io/oauth/token \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "grant_type=client_credentials" \
-d "client_id=YOUR_CLIENT_ID" \
-d "client_secret=YOUR_CLIENT_SECRET" \
-d "scope=company:read"`;

/** "Test Authorization Code Flow", whose steps the guide gives in words, with the parameters of its samples. */
const exchange = (code: string): string => String.raw`curl -X POST https://getbill.io/oauth/token \
-H "Content-Type: application/x-www-form-urlencoded" \
-d "grant_type=authorization_code" \
-d "client_id=YOUR_CLIENT_ID" \
-d "client_secret=YOUR_CLIENT_SECRET" \
-d "code=${code}" \
-d "redirect_uri=${redirectUri}"`;
const callApi = (
  accessToken: string,
): string => String.raw`curl https://getbill.io/external-api/v1/company/profile \
-H "Authorization: Bearer ${accessToken}" \
-H "Content-Type: application/json"`;

/** A sandbox that knows the guide's client, and its commands with nothing changed but where they go. */
async function guide() {
  const { origin } = await setUp({
    clientId: 'YOUR_CLIENT_ID',
    clientSecrets: ['YOUR_CLIENT_SECRET'],
  });
  return {
    origin,
    run: async (command: string): Promise<Record<string, unknown>> => {
      const here = command.replace('https://getbill.io', origin);
      const { stdout } = await promisify(execFile)('sh', ['-c', here]);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
  };
}

const hasCurl = spawnSync('curl', ['--version']).status === 0;

(hasCurl ? describe : describe.skip)(
  "the curl tests of GetBill's guide, against the sandbox",
  () => {
    it('"Test Client Credentials" gets a token, and the API takes it', async () => {
      const { run } = await guide();
      const token = await run(TEST_CLIENT_CREDENTIALS);
      expect(token).toMatchObject({ token_type: 'Bearer', expires_in: 3600 });
      const profile = await run(callApi(String(token['access_token'])));
      expect(profile).toMatchObject({ error: false, data: { name: 'Example Collections LLC' } });
    });

    it('with a wrong secret it gets invalid_client, as the guide explains', async () => {
      const { run } = await guide();
      const answer = await run(TEST_CLIENT_CREDENTIALS.replace('=YOUR_CLIENT_SECRET', '=WRONG'));
      expect(answer).toMatchObject({ error: 'invalid_client' });
    });

    it('"Test Authorization Code Flow": approve, exchange the code, call the API; the code works once', async () => {
      const { origin, run } = await guide();
      const authorizeUrl = new URL(`${origin}/oauth/authorize`);
      authorizeUrl.searchParams.append('response_type', 'code');
      authorizeUrl.searchParams.append('client_id', 'YOUR_CLIENT_ID');
      authorizeUrl.searchParams.append('redirect_uri', redirectUri);
      authorizeUrl.searchParams.append('scope', 'debts:read followups:read company:read');
      authorizeUrl.searchParams.append('state', 'x1y2z3');
      const code = codeIn(await approve({ authorizeUrl: authorizeUrl.href }));
      const token = await run(exchange(code));
      expect(Object.keys(token)).toEqual(
        expect.arrayContaining(['access_token', 'refresh_token', 'expires_in']),
      );
      const profile = await run(callApi(String(token['access_token'])));
      expect(profile).toMatchObject({ data: { email: 'contact@example-collections.com' } });
      expect(await run(exchange(code))).toMatchObject({ error: 'invalid_grant' });
    });
  },
);
