import { json, startApiServer } from './support/api-server.js';
import { signIn, startProxyApp } from './support/caller.js';
it('debug', async () => {
  const api = await startApiServer();
  const app = await startProxyApp({ env: { GETBILL_API_URL: api.apiUrl, GETBILL_TIMEOUT_MS: '60000' } });
  const caller = await signIn(app);
  const bad: any[] = [
    (res: any) => json(res, 500, '{"error":true}'),
    (res: any) => void res.writeHead(302, { location: '/' }).end(),
    (res: any) => json(res, 200, '<html>', { 'content-type': 'text/html' }),
    (res: any) => void res.writeHead(500, { 'content-type': 'application/json' }).write('{'),
  ];
  for (const [i, b] of bad.entries()) {
    api.answerWith((res) => { res.setHeader('connection', 'close'); b(res); });
    const t = performance.now();
    let done = 0;
    const a = await Promise.race([Promise.all(Array.from({length: 20}, () => caller.read('/api/debts').then((r) => { done++; return r; }))), new Promise((r) => setTimeout(() => r({ status: 'none' }), 3000))]) as any;
    await new Promise((r) => setTimeout(r, 500));
    console.log(i, done, performance.now() - t, api.openConnections());
    if (i===3) for (let k = 0; k < 8; k++) { await new Promise((r) => setTimeout(r, 500)); console.log(k, api.openConnections(), (process as any).getActiveResourcesInfo().filter((x: string) => /TCP/.test(x)).length); }
  }
  await app.close(); await api.close();
}, 30000);
