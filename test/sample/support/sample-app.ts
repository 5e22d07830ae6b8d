// The authorization-code sample of GetBill's OAuth guide, retold with its faults. No model: docs/why-not-the-sample.md.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import session, { MemoryStore } from 'express-session';
import { defaultClientId, defaultClientSecret, type Sandbox } from '../../../sandbox/sandbox.js';
import { createBrowser, type Browser } from '../../support/browser.js';

/** As printed in the guide. */
export const SAMPLE_SESSION_SECRET = 'your-session-secret';

export interface SampleApp {
  origin: string;
  /** All that it keeps, tokens included. */
  sessions: MemoryStore;
  browser(): Browser;
  close(): Promise<void>;
}

interface Kept {
  state?: string | undefined;
  accessToken?: string | undefined;
  refreshToken?: string | undefined;
}

const kept = (req: Request): Kept => req.session as Kept;

export async function startSampleApp({ sandbox }: { sandbox: Sandbox }): Promise<SampleApp> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const publicUrl = `http://localhost:${port}`;
  const client = { client_id: defaultClientId, redirect_uri: `${publicUrl}/oauth/callback` };
  sandbox.control.addRedirectUri(client.redirect_uri);

  const sessions = new MemoryStore();
  const app = express();
  app.use(
    session({
      store: sessions,
      secret: SAMPLE_SESSION_SECRET,
      resave: false,
      saveUninitialized: true,
    }),
  );

  app.get('/login', (req, res) => {
    const state = Math.random().toString(36).substring(2, 15);
    kept(req).state = state;
    const query = {
      response_type: 'code',
      ...client,
      scope: 'debts:read followups:read company:read',
      state,
    };
    res.redirect(`${sandbox.origin}/oauth/authorize?${new URLSearchParams(query).toString()}`);
  });

  app.get('/oauth/callback', async (req, res) => {
    const { code, state } = req.query as Record<string, string>;
    if (state !== kept(req).state) return void res.status(400).send('Invalid state parameter');
    try {
      const form = {
        grant_type: 'authorization_code',
        ...client,
        client_secret: defaultClientSecret,
        code: String(code),
      };
      const answer = await fetch(`${sandbox.origin}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams(form),
      });
      const tokens = (await answer.json()) as Record<string, string>;
      if (!answer.ok) throw new Error(tokens['error_description'] ?? 'Token exchange failed');
      kept(req).accessToken = tokens['access_token'];
      kept(req).refreshToken = tokens['refresh_token']; // and never uses it
      res.redirect('/dashboard');
    } catch {
      res.status(500).send('Authentication failed');
    }
  });

  app.get('/dashboard', async (req, res) => {
    const { accessToken } = kept(req);
    if (!accessToken) return res.redirect('/login');
    try {
      const headers = { Authorization: `Bearer ${accessToken}` };
      const answer = await fetch(`${sandbox.origin}/external-api/v1/company/profile`, { headers });
      res.json(await answer.json());
    } catch {
      res.status(500).send('Failed to fetch profile');
    }
  });

  server.on('request', app);
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    sessions,
    browser: () => createBrowser({ origin, publicUrl }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
