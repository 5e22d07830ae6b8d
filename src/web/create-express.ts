import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import express, { type Express } from 'express';
import type { Config } from '../config/config.js';
import { bareAddress } from './client-address.js';
import { demoBar } from './pages/demo-bar.js';
import type { TrustProxy } from './request-origin.js';

const VIEWS = fileURLToPath(new URL('../../views', import.meta.url));

/** Express with one spelling per path: "/Login" and "/login/" are unknown paths. */
export function createExpress(config: Config): Express {
  const { trustProxy, production } = config;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Express would answer 304 to "If-None-Match: *"
  Object.defineProperty(app.request, 'fresh', { value: false });
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('trust proxy', trustProxy);
  const trusts = app.get('trust proxy fn') as TrustProxy;
  // an address may have a port
  app.set('trust proxy', (address: string, hop: number) => trusts(bareAddress(address), hop));
  app.set('views', VIEWS);
  app.set('view engine', 'ejs');
  app.engine('ejs', renderView({ cache: production }));
  app.set('view cache', production);
  app.locals['demo'] = demoBar(config); // of every page, those of errors too
  return app;
}

/** Without the indentation, a third of a long list; with `root` an `include` looks for no file. */
function renderView({ cache }: { cache: boolean }) {
  const options = { cache, root: VIEWS, rmWhitespace: true };
  return (path: string, locals: object, done: (error: Error | null, html?: string) => void) =>
    ejs.renderFile(path, locals, options, done);
}
