// `npm run bench`: a stub GetBill, a private Redis, GetBill Connect with everything on, and its peers; ratios of one run.
import { peers } from './peers.js';
import { load, start, startRedis, stopAll } from './processes.js';
import { signInMany } from './sign-in.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const SECONDS = Number(process.env.SECONDS_EACH ?? 4);
const SESSIONS = 50;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

try {
  const context = { stub: await start('stub.js', {}), redis: await startRedis() };
  const running = [];
  for (const [name, startPeer] of Object.entries(peers)) {
    const server = await startPeer(context);
    running.push({ name, server, cookies: await signInMany(server.origin, SESSIONS), rounds: [] });
  }
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { server, cookies, rounds } of running) {
      const result = await load({ servers: [server], path: '/api/company/profile', cookies, seconds: SECONDS });
      if (round > 0) rounds.push(result); // the first one warms up
    }
  }
  const results = running.map(({ name, rounds }) => ({
    name,
    ...Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((one) => one[key]))])),
  }));
  const floor = results.find(({ name }) => name === 'floor');
  for (const { name, perSecond, cpuUs, p50Ms, p99Ms, errors } of results) {
    console.log(name.padEnd(40), `${perSecond.toFixed(0)} req/s`, `${cpuUs.toFixed(0)} us`, `p50 ${p50Ms.toFixed(1)}`, `p99 ${p99Ms.toFixed(1)}`, `errors ${errors}`, `cpu/floor ${(cpuUs / floor.cpuUs).toFixed(2)}`, `req/s / floor ${(perSecond / floor.perSecond).toFixed(2)}`); // prettier-ignore
  }
} finally {
  await stopAll();
}
