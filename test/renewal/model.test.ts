import { runSeed, type Run } from './model.js';

it('holds', async () => {
  const n = Number(process.env['MODEL_SEEDS'] ?? 5000);
  const t = performance.now();
  const bad: Run[] = [];
  const sum: Record<string, number> = {};
  const rules: Record<string, number[]> = {};
  for (let seed = 1; seed <= n; seed++) {
    const run = await runSeed(seed);
    for (const [k, v] of Object.entries(run.counts)) sum[k] = (sum[k] ?? 0) + v;
    if (run.violations.length > 0) {
      bad.push(run);
      for (const v of run.violations) (rules[v.replace(/ \[.*/s, '')] ??= []).push(seed);
    }
  }
  console.log(n, 'seeds', Math.round(performance.now() - t), 'ms', sum, 'bad', bad.length);
  console.log(Object.entries(rules).map(([r, s]) => `${r}: ${s.length}: ${[...new Set(s)].slice(0, 8).join(' ')}`).join('\n'));
  for (const run of bad.slice(0, 5)) console.log(run.seed, run.plan, run.violations.slice(0, 3));
}, 200_000);
it('replays', async () => {
  const seed = process.env['MODEL_SEED'];
  if (!seed) return;
  const lines: string[] = [];
  const run = await runSeed(Number(seed), { log: (l) => lines.push(l) });
  console.log(lines.join('\n'), run.plan, run.violations);
});
