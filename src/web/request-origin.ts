import type { Request } from 'express';

/** Express' "trust proxy fn". */
export type TrustProxy = (address: string, hop: number) => boolean;

/**
 * The origins that the request may have been sent to: by `Host`, and by the `X-Forwarded-Host` and
 * `X-Forwarded-Port` of a trusted proxy. As URLs spell an origin, so that `Connect.Example:443` and
 * `connect.example` are equal for https. Empty where none of them is a host.
 */
export function originsOf(req: Request, { protocol }: Pick<URL, 'protocol'>): string[] {
  const hosts = [req.get('host') ?? '', req.host]; // Express: X-Forwarded-Host, of a trusted proxy
  const port = forwardedPort(req);
  const withoutPort = hosts.filter((host) => port !== undefined && !/:\d+$/.test(host));
  const all = [...hosts, ...withoutPort.map((host) => `${host}:${port}`)];
  return [...new Set(all.flatMap((host) => originOf(`${protocol}//${host}`) ?? []))];
}

/** `undefined` for a text that is no origin: with a path, a user, spaces. */
export function originOf(text: string): string | undefined {
  const url =
    /^[a-z]+:\/\/[^/\\?#@\s]+$/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  return url?.origin;
}

function forwardedPort(req: Request): string | undefined {
  const trusts = req.app.get('trust proxy fn') as TrustProxy;
  const port = req.get('x-forwarded-port')?.split(',')[0]?.trim() ?? '';
  return /^\d{1,5}$/.test(port) && trusts(req.socket.remoteAddress ?? '', 0) ? port : undefined;
}
