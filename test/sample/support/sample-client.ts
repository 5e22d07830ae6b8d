// What the client-credentials class of GetBill's OAuth guide does, retold with its faults. No model: docs/why-not-the-sample.md.
import { defaultClientId, defaultClientSecret, type Sandbox } from '../../../sandbox/sandbox.js';

interface Tokens {
  access: string | undefined;
  refresh: string | undefined;
  usableUntilMs: number;
}

const CLIENT = { client_id: defaultClientId, client_secret: defaultClientSecret };
const ALL_SCOPES = 'debts:read debts:write followups:read company:read';
const BUFFER_MS = 60_000;

export class SampleClient {
  readonly #sandbox: Sandbox;
  tokens: Tokens = { access: undefined, refresh: undefined, usableUntilMs: 0 };

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  async token(): Promise<string | undefined> {
    const { access, refresh, usableUntilMs } = this.tokens;
    if (access !== undefined && usableUntilMs > Date.now()) return access;
    if (refresh === undefined) return await this.#begin();
    const renewed = await this.#post({ grant_type: 'refresh_token', refresh_token: refresh });
    return renewed.ok ? await this.#keep(renewed) : await this.#begin();
  }

  async get(path: string): Promise<Response> {
    const token = await this.token();
    return await fetch(`${this.#sandbox.origin}/external-api/v1${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
  }

  async #begin(): Promise<string | undefined> {
    const response = await this.#post({ grant_type: 'client_credentials', scope: ALL_SCOPES });
    if (!response.ok) throw new Error('Token request failed');
    return await this.#keep(response);
  }

  async #keep(response: Response): Promise<string | undefined> {
    const { access_token, refresh_token, expires_in } = (await response.json()) as {
      access_token?: string;
      refresh_token?: string;
      expires_in?: number;
    };
    const usableUntilMs = Date.now() + Number(expires_in) * 1000 - BUFFER_MS;
    this.tokens = { access: access_token, refresh: refresh_token, usableUntilMs };
    return access_token;
  }

  #post(form: Record<string, string>): Promise<Response> {
    return fetch(`${this.#sandbox.origin}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...form, ...CLIENT }),
    });
  }
}
