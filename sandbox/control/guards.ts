import type { RequestHandler } from 'express';

const safeMethods = ['GET', 'HEAD'];

/**
 * Keeps other sites' pages away from the control API: the host has to be the sandbox's own (DNS
 * rebinding), the origin as well when there is one, and what changes something has to be JSON (a
 * form cannot send that).
 */
export function ownPagesOnly({ origin, port }: { origin: string; port: number }): RequestHandler {
  const hosts = new Set(['localhost', '127.0.0.1', '[::1]'].map((name) => `${name}:${port}`)).add(
    new URL(origin).host,
  );
  const origins = new Set([...hosts].map((host) => `http://${host}`)).add(origin);
  return function ownPagesOnlyMiddleware(req, res, next) {
    const { host = '', origin: sentOrigin } = req.headers;
    if (!hosts.has(host.toLowerCase()))
      return void res.status(403).json({ error: 'host: not the sandbox' });
    if (sentOrigin !== undefined && !origins.has(sentOrigin)) {
      return void res.status(403).json({ error: 'origin: not the sandbox' });
    }
    if (
      !safeMethods.includes(req.method) &&
      !/^application\/json\s*(;|$)/i.test(req.headers['content-type'] ?? '')
    ) {
      return void res.status(415).json({ error: 'content-type: application/json is required' });
    }
    next();
  };
}
