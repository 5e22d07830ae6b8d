import { peers } from './peers.js';
import { load } from './processes.js';
import { signInMany } from './sign-in.js';

const ROUNDS = Number(process.env.ROUNDS ?? 8);
const SECONDS = Number(process.env.SECONDS_EACH ?? 2);
const SESSIONS = 50;

export const median = (numbers) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** One proxied call, 50 sessions, 32 connections; every peer in turn, many short rounds, each compared with its neighbours. */
export async function measureCalls(context) {
  const running = [];
  for (const [name, startPeer] of Object.entries(peers)) {
    const server = await startPeer(context);
    running.push({ name, server, cookies: await signInMany(server.origin, SESSIONS), rounds: [] });
  }
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { server, cookies, rounds } of running) {
      const result = await load({
        servers: [server],
        path: '/api/company/profile',
        cookies,
        seconds: SECONDS,
      });
      if (round > 0) rounds.push(result); // the first one warms up
    }
  }
  await Promise.all(running.map(({ server }) => server.stop()));
  const floor = running.find(({ name }) => name === 'floor').rounds;
  return running.map(({ name, rounds }) => ({
    name,
    ...Object.fromEntries(
      Object.keys(rounds[0]).map((key) => [key, median(rounds.map((one) => one[key]))]),
    ),
    cpuToFloor: median(rounds.map((one, index) => one.cpuUs / floor[index].cpuUs)),
    perSecondToFloor: median(rounds.map((one, index) => one.perSecond / floor[index].perSecond)),
    errors: rounds.reduce((sum, one) => sum + one.errors, 0),
  }));
}
