#!/usr/bin/env node
// `npx getbill ...`: the command line without npm's own lines on standard output. Runs the source where tsx is
// installed, else what `npm run build` made of it.
import { existsSync } from 'node:fs';

const source = new URL('../src/cli/getbill.ts', import.meta.url);
const tsx = await import('tsx/esm/api').catch(() => undefined);
if (tsx !== undefined && existsSync(source)) {
  tsx.register();
  await import(source.href);
} else {
  await import(new URL('../dist/cli/getbill.js', import.meta.url).href);
}
