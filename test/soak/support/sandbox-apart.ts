import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Faults } from '../../../sandbox/faults.js';

export type ControlCall = Partial<Faults> | 'reset';

/** GetBill in a process of its own, where its work does not delay what a test measures. */
export interface SandboxApart {
  /** For the environment of an installation. */
  env: { GETBILL_BASE_URL: string };
  control(call: ControlCall): Promise<void>;
  close(): Promise<void>;
}

export async function startSandboxApart(): Promise<SandboxApart> {
  const script = join(process.cwd(), 'test/soak/support/sandbox-process.ts');
  const child = fork(script, { execArgv: ['--import', 'tsx'] });
  const [origin] = (await once(child, 'message')) as [string];
  return {
    env: { GETBILL_BASE_URL: origin },
    async control(call) {
      const done = once(child, 'message');
      child.send(call);
      await done;
    },
    async close() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}
