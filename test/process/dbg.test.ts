import { startInstallation, type Installation } from './support/installation.js';
import { createCaller, storm } from './support/storm.js';
import { writeFileSync } from 'node:fs';
let site: Installation;
afterAll(() => site.close());
it('x', async () => {
  site = await startInstallation({ processes: 3, env: { REFRESH_MARGIN_S: '1', GETBILL_TIMEOUT_MS: '10000' }, faults: { accessTokenLifetimeS: 5 } });
  const callNo = await createCaller(site, await site.signIn());
  const options = { calls: 300, spreadMs: 100, random: Math.random };
  console.log(await storm(site, callNo, { kind: 'expired', oldAccessTokenDies: true }, options));
  site.sandbox.control.set({ accessTokenLifetimeS: 3600 });
  site.sandbox.control.expireAccessTokens();
  await callNo(0);
  console.log(await storm(site, callNo, { kind: 'rejected', oldAccessTokenDies: true }, options));
  console.log(await storm(site, callNo, { kind: 'rejected', oldAccessTokenDies: true }, options));
  for (const a of site.apps) writeFileSync('/tmp/' + a.name + '.log', a.log());
}, 60000);
