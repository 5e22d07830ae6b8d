// `node bench/profile.js [PEER [PATH]]`: where the processor time of a proxied call goes, by package and by function.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { peers } from './peers.js';
import { folder, load, start, startRedis, stopAll } from './processes.js';
import { signInMany } from './sign-in.js';

const [peer = 'GetBill Connect', path = '/api/company/profile'] = process.argv.slice(2);
try {
  const context = { stub: await start('stub.js', {}), redis: await startRedis() };
  const app = await peers[peer](context, { nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=200'] }); // prettier-ignore
  const cookies = await signInMany(app.origin, 50);
  const { cpuUs, perSecond } = await load({ servers: [app], path, cookies, seconds: 8 });
  console.log(
    `${cpuUs.toFixed(0)} us of processor time per request, ${perSecond.toFixed(0)} requests per second\n`,
  );
  await app.stop();
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  report(JSON.parse(readFileSync(join(folder, file), 'utf8')), cpuUs);
} finally {
  await stopAll();
}

function report({ nodes, samples, timeDeltas }, usPerRequest) {
  const spent = new Map();
  samples.forEach((id, index) => spent.set(id, (spent.get(id) ?? 0) + timeDeltas[index]));
  const [byPackage, byFunction] = [new Map(), new Map()];
  let total = 0;
  for (const { id, callFrame } of nodes) {
    const us = spent.get(id) ?? 0;
    if (callFrame.functionName === '(idle)') continue;
    total += us;
    const url = callFrame.url.replace(/^file:\/\//, '');
    const [, inPackage] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
    const place = inPackage ?? (url.includes('/dist/') ? `src/${url.split('/dist/')[1].split('/')[0]}` : url || callFrame.functionName); // prettier-ignore
    byPackage.set(place, (byPackage.get(place) ?? 0) + us);
    const name = `${callFrame.functionName || '(anonymous)'} ${url.split(/\/(?:node_modules|dist)\//).at(-1)}:${callFrame.lineNumber + 1}`;
    byFunction.set(name, (byFunction.get(name) ?? 0) + us);
  }
  for (const [title, map, count] of [
    ['by package', byPackage, 30],
    ['by function', byFunction, 45],
  ]) {
    console.log(title);
    const sorted = [...map].sort((a, b) => b[1] - a[1]).slice(0, count);
    for (const [name, us] of sorted)
      console.log(`  ${((us / total) * usPerRequest).toFixed(0).padStart(5)} us  ${name}`);
  }
}
