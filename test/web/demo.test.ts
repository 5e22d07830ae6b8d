import { startSandbox } from '../../sandbox/sandbox.js';
import { freePort } from '../support/free-port.js';
import { startTestApp } from '../support/test-app.js';

it('an app that has used up five reads of an hour is usable again when the sandbox is reset', async () => {
  const port = await freePort();
  const appUrl = `http://localhost:${port}`;
  const sandbox = await startSandbox({ appUrl, faults: { consent: 'auto' } });
  const app = await startTestApp({ sandbox, port, env: { FLOW_INSPECTOR: 'true' } });
  const change = (operation: string, method: string, body: object) =>
    fetch(`${sandbox.origin}/_sandbox/${operation}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }); // prettier-ignore
  try {
    const browser = app.browser();
    await browser.signIn();
    await change('faults', 'PATCH', { limitReads: 5, limitWindowS: 3600 });
    const statuses: number[] = [];
    for (let page = 0; page < 7; page += 1) statuses.push((await browser.get('/debts')).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await browser.get('/debts')).text).toMatch(/There will be more in \d+ minutes/);
    await change('reset', 'POST', {});
    expect((await browser.get('/debts')).status).toBe(200);

    const foreign = { origin: 'https://elsewhere.example' };
    expect((await browser.send('POST', '/demo/forget-limits', { headers: foreign })).status).toBe(
      403,
    );
  } finally {
    await app.close();
    await sandbox.close();
  }
});

it('an app that is no demo forgets nothing', async () => {
  const app = await startTestApp();
  try {
    expect((await app.browser().send('POST', '/demo/forget-limits')).status).not.toBe(204);
  } finally {
    await app.close();
  }
});
