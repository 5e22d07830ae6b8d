import { startConnect } from './peers.js';
import { cpuUs, load } from './processes.js';
import { signInMany } from './sign-in.js';

const SIGN_INS = 300;

/** The dashboard page, and a whole sign-in: `/login`, the callback with its code exchange, and one call. */
export async function measureOthers(context) {
  const app = await startConnect(context);
  const cookies = await signInMany(app.origin, 50);
  await load({ servers: [app], path: '/dashboard', cookies, seconds: 2, accept: 'text/html' });
  const dashboard = await load({
    servers: [app],
    path: '/dashboard',
    cookies,
    seconds: 5,
    accept: 'text/html',
  });
  const [before, startedMs] = [cpuUs(app.pid), performance.now()];
  await signInMany(app.origin, SIGN_INS);
  const seconds = (performance.now() - startedMs) / 1000;
  const signIn = { perSecond: SIGN_INS / seconds, cpuUs: (cpuUs(app.pid) - before) / SIGN_INS };
  await app.stop();
  return { dashboard, signIn };
}
