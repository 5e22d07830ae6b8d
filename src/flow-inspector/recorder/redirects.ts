import type { Response } from 'express';
import { maskedUrl, type Mask } from '../masking.js';
import type { StepStore } from '../step-store.js';
import type { Context } from './context.js';
import type { StepWriter } from './step-writer.js';

const AT_GETBILL_MS = 3_600_000;
const REDIRECT_MS = 10_000;

/** How a story goes on after a redirect, to GetBill or to a page that another process may serve. */
export function recordRedirects(
  { append }: StepWriter,
  { store, mask, publicUrl }: { store: StepStore; mask: Mask; publicUrl: URL },
) {
  /** Records GetBill's redirect, which the browser has followed: its parameters are in `url`. */
  function backFromGetbill(context: Context, url: URL, replyTo: number): void {
    const error = url.searchParams.get('error');
    const failed = error !== null;
    const title = failed ? 'Back to the app with an error' : 'Back to the app with code and state';
    const start = 'HTTP/1.1 302 Found';
    const headers: [string, string][] = [['location', maskedUrl(url, mask)]];
    void append(
      context,
      {
        kind: 'response',
        from: 'getbill',
        to: 'browser',
        title,
        topic: 'authorized',
        oauth: true,
        outcome: failed ? 'failed' : 'ok',
        message: { start, headers },
      },
      Promise.resolve(replyTo),
    );
  }

  /** Records the authorization request, which the browser sends when it follows our redirect. */
  function toGetbill(context: Context, location: URL): void {
    const start = `GET ${maskedUrl(location, mask, { origin: false })} HTTP/1.1`;
    const message = { start, headers: [['host', location.host]] as [string, string][] };
    const number = append(context, {
      kind: 'request',
      from: 'browser',
      to: 'getbill',
      title: 'Authorization request',
      topic: 'authorize',
      oauth: true,
      message,
    });
    const next = byState(location.searchParams.get('state') ?? '');
    const { flow, story } = context;
    void number.then((replyTo) =>
      store.keepContinuation(flow, next, { chain: story.chain, replyTo }, AT_GETBILL_MS),
    );
  }

  /** Stores how the story goes on before the browser is redirected, maybe to another process. */
  function tellNextProcess(context: Context, res: Response): Promise<void> | undefined {
    const location = locationOf(res, publicUrl);
    if (location === undefined) return undefined;
    const { flow, story } = context;
    const { chain } = story;
    const state = location.origin === publicUrl.origin ? null : location.searchParams.get('state');
    return state === null
      ? store.keepContinuation(flow, byPath(location), { chain }, REDIRECT_MS)
      : store.keepContinuation(flow, byState(state), { chain }, AT_GETBILL_MS);
  }

  return { backFromGetbill, toGetbill, tellNextProcess };
}

/** Names the request that continues a story: by its path, or by the state that GetBill returns. */
export const byPath = ({ pathname, search }: URL): string => `path ${pathname}${search}`;
export const byState = (state: string): string => `state ${state}`;

export function locationOf(res: Response, publicUrl: URL): URL | undefined {
  const location = res.getHeader('location');
  if (typeof location !== 'string' || !URL.canParse(location, publicUrl.href)) return undefined;
  return new URL(location, publicUrl);
}
