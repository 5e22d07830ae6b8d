import { Redis } from 'ioredis';
import { median } from './calls.js';
import { startConnect } from './peers.js';
import { load, memoryMb } from './processes.js';
import { signInMany } from './sign-in.js';

const COUNTS = [10, 1_000, 100_000];
const LOADED = 50;

/** Cost per call with so many sessions in Redis; memory per session there and in the app; one, two and three processes. */
export async function measureGrowth(context) {
  const redis = new Redis(context.redis.path);
  await redis.flushall();
  const app = await startConnect(context);
  const cookies = await signInMany(app.origin, LOADED);
  const usedMb = async () =>
    Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1]) / 1024 / 1024;
  const emptyMb = await usedMb();
  const bySessions = [];
  for (const count of COUNTS) {
    await multiply(redis, count);
    const rounds = [];
    for (let round = 0; round < 5; round += 1) {
      rounds.push(
        await load({ servers: [app], path: '/api/company/profile', cookies, seconds: 2 }),
      );
    }
    bySessions.push({
      count,
      cpuUs: median(rounds.slice(1).map((one) => one.cpuUs)),
      appMb: memoryMb(app.pid),
    });
  }
  const redisKbPerSession = (((await usedMb()) - emptyMb) * 1024) / COUNTS.at(-1);

  const byProcesses = [];
  const servers = [app];
  for (let processes = 1; processes <= 3; processes += 1) {
    if (processes > 1) servers.push(await startConnect(context));
    const { perSecond, cpuUs } = await load({
      servers,
      path: '/api/company/profile',
      cookies,
      seconds: 4,
    });
    byProcesses.push({ processes, perSecond, cpuUs });
  }
  await Promise.all(servers.map((server) => server.stop()));
  await redis.quit();
  return { bySessions, redisKbPerSession, byProcesses };
}

/** Copies of a real session and its tokens under other names, until there are so many. */
async function multiply(redis, count) {
  const [session] = (await redis.keys('sess:*')).slice(0, 1);
  const [grant] = (await redis.keys('grant:*')).slice(0, 1);
  const values = await Promise.all([redis.get(session), redis.get(grant)]);
  for (let done = 0; done < count; done += 1_000) {
    const pipeline = redis.pipeline();
    for (let index = done; index < Math.min(count, done + 1_000); index += 1) {
      pipeline
        .set(`sess:copy-${index}`, values[0], 'EX', 1800)
        .set(`grant:copy-${index}`, values[1], 'EX', 1800);
    }
    await pipeline.exec();
  }
}
