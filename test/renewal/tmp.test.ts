import { runSeed } from './model.js';
const profiles: Record<string, object> = {
  slowSignOut: { signOut: 1, slowServer: 1, rounds: ['expired'], revocation: true, calm: false, lifetimeS: 3600 },
  storm: { storageFault: 0.25, serverFault: 0.5, freeze: 0.05, crash: 0.05, calm: false },
  freezeStrict: { freeze: 0.1, slowServer: 0.8, rotation: 'strict', storageFault: 0, serverFault: 0, crash: 0, calm: false, rounds: ['expired', 'expired'] },
  freezeKeep: { freeze: 0.1, slowServer: 0.8, rotation: 'keep', calm: false, rounds: ['expired', 'rejected'] },
  crash: { crash: 0.1, calm: false },
  storage: { storageFault: 0.5, calm: false, serverFault: 0, crash: 0, freeze: 0, clockErrorMs: 0, slowServer: 0 },
  rejected: { rounds: ['rejected', 'straddle', 'rejected'], callersPerProcess: 4, calm: false, serverFault: 0.1, lifetimeS: 60 },
  calm: { calm: true, callersPerProcess: 4, rounds: ['straddle', 'rejected', 'margin', 'expired'] },
};
it.each(Object.entries(profiles))('%s', async (_name, overrides) => {
  const n = Number(process.env['N'] ?? 500);
  const t = performance.now();
  const sum: Record<string, number> = {};
  const rules: Record<string, number[]> = {};
  const first: string[] = [];
  for (let seed = 1; seed <= n; seed++) {
    const run = await runSeed(seed, { overrides });
    for (const [k, v] of Object.entries(run.counts)) sum[k] = (sum[k] ?? 0) + v;
    for (const v of run.violations) { (rules[v.replace(/ \[.*/s, '')] ??= []).push(seed); if (first.length < 6) first.push(`${seed}: ${v}`); }
  }
  console.log(_name, n, 'seeds', Math.round(performance.now() - t), 'ms', sum, '\n', Object.entries(rules).map(([r, s]) => `${r}: ${s.length}: ${[...new Set(s)].slice(0, 8).join(' ')}`).join('\n'), first.join('\n'));
}, 600_000);
it('replays', async () => {
  const seed = process.env['MODEL_SEED'];
  if (!seed) return;
  const lines: string[] = [];
  const run = await runSeed(Number(seed), { overrides: profiles[process.env['P'] ?? ''] ?? {}, log: (l) => lines.push(l) });
  console.log(lines.join('\n'), run.plan, run.violations);
});
