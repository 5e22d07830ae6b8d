import { runSeed } from './model.ts';
const n = Number(process.argv[2] ?? 500);
const c=process.cpuUsage(); let t=performance.now(); let steps=0;
for (let s=1;s<=n;s++){ const r=await runSeed(s); steps+=r.counts.steps; }
const d=process.cpuUsage(c);
console.log(n, 'wall', Math.round(performance.now()-t), 'cpu', Math.round((d.user+d.system)/1000), steps);
