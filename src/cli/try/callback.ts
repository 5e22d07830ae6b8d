import type { GetbillConfig } from '../../config/config.js';
import type { Ask } from '../doctor/ask.js';
import { isLocal, listenForCallback, type Callback } from './callback-server.js';

/**
 * Where GetBill sends the browser back to: a port of this machine, or an address a person pastes.
 * @throws {ConfigError} the port cannot be had.
 */
export async function openCallback(
  { redirectUri, authorizeUrl }: GetbillConfig,
  { ask, pasted }: { ask: Ask; pasted: (closed: AbortSignal) => Promise<string> },
): Promise<Callback> {
  if (!isLocal(new URL(redirectUri))) {
    const closed = new AbortController();
    const response = async () => queryOf(await pasted(closed.signal));
    return { redirectUri, response, close: () => closed.abort() };
  }
  /** At the control API of a sandbox on this machine. */
  async function register(uri: string): Promise<boolean> {
    if (!isLocal(authorizeUrl)) return false;
    const url = new URL('/_sandbox/redirect-uris', authorizeUrl);
    const json = JSON.stringify({ uri });
    const response = await ask(url, { json }).catch(() => undefined);
    return response?.status === 200;
  }
  return await listenForCallback(redirectUri, { register });
}

const queryOf = (address: string): URLSearchParams =>
  URL.canParse(address) ? new URL(address).searchParams : new URLSearchParams();
