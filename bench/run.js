// `npm run bench`: what a call costs, beside peers; pages, sign-ins, a storm of renewals, growth. Ratios of one run.
import { writeFileSync } from 'node:fs';
import { measureCalls } from './calls.js';
import { measureGrowth } from './growth.js';
import { measureOthers } from './others.js';
import { start, startRedis, stopAll } from './processes.js';
import { report } from './report.js';
import { measureStorm } from './storm.js';

try {
  const context = { stub: await start('stub.js', {}), redis: await startRedis() };
  const results = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    calls: await measureCalls(context),
    others: await measureOthers(context),
    storm: await measureStorm(context),
    growth: await measureGrowth(context),
  };
  writeFileSync(
    new URL('results.json', import.meta.url),
    `${JSON.stringify(results, undefined, 2)}\n`,
  );
  console.log(report(results));
} finally {
  await stopAll();
}
