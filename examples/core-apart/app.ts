import { createHash } from 'node:crypto';
import express, { type Express, type Request } from 'express';
import { NotSignedInError, type OAuthClient } from '../../src/core/index.js';

/** Somebody else's app: its own people and sessions (`idOf`, secret and per session), and GetBill tokens that look after themselves. */
export function createForeignApp(options: { core: OAuthClient; idOf: (req: Request) => string; apiUrl: URL }): Express {
  const { apiUrl, core, idOf } = options;
  const grantOf = (req: Request) => createHash('sha256').update(idOf(req)).digest('base64url'); // it names a record
  const app = express();

  app.get('/connect', async (req, res) => {
    res.redirect((await core.signIn.start({ binding: idOf(req), returnTo: '/company' })).href);
  });
  app.get('/oauth/callback', async (req, res) => {
    const response = new URLSearchParams(req.originalUrl.split('?')[1]);
    const completed = await core.signIn.complete({ binding: idOf(req), response });
    if (completed === undefined) return void res.status(400).send('This link was used before, or is somebody else’s.');
    await core.tokens.establish(grantOf(req), completed.tokenSet, { ttlMs: 8 * 3_600_000 });
    res.redirect(completed.returnTo);
  });
  app.get('/company', async (req, res) => {
    const { accessToken } = await core.tokens.fresh(grantOf(req)); // renewed on the way, if need be
    const answer = await fetch(`${apiUrl.href}/company/profile`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    res.status(answer.status).json(await answer.json());
  });
  app.use(((error, _req, res, next) => {
    if (error instanceof NotSignedInError) res.redirect('/connect');
    else next(error);
  }) satisfies express.ErrorRequestHandler);
  return app;
}
