import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import {
  defaultClientId,
  defaultClientSecret,
  startSandbox,
  type Sandbox,
} from '../../../sandbox/sandbox.js';
import { buildApp } from '../../process/support/app-build.js';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** What it has said on standard error so far. */
  said(): string;
  ended: Promise<Ended>;
}

export interface StartOptions {
  cwd?: string;
  /** No GetBill client in the environment. */
  bare?: boolean;
  /** Instead of `getbill.js`. */
  script?: string;
}

export interface CommandLine {
  sandbox: Sandbox;
  start(args: string, env?: Record<string, string>, options?: StartOptions): Running;
  run(args: string, env?: Record<string, string>, options?: StartOptions): Promise<Ended>;
  close(): Promise<void>;
}

/** `getbill` in OS processes of its own, and a sandbox GetBill; no more in the environment than a person must set. */
export async function startCommandLine(): Promise<CommandLine> {
  const build = buildApp();
  const sandbox = await startSandbox();
  const scripts = join(dirname(build.main), 'cli');

  const client = {
    GETBILL_CLIENT_ID: defaultClientId,
    GETBILL_CLIENT_SECRET: defaultClientSecret,
    GETBILL_BASE_URL: sandbox.origin,
  };

  function start(
    args: string,
    env: Record<string, string> = {},
    { cwd, bare = false, script = 'getbill.js' }: StartOptions = {},
  ): Running {
    const child = spawn(
      process.execPath,
      [join(scripts, script), ...args.split(' ').filter(Boolean)],
      {
        ...(cwd !== undefined && { cwd }),
        timeout: 120_000, // Node itself can freeze at its end (nodejs/node#54918)
        killSignal: 'SIGKILL',
        env: { PATH: process.env['PATH'] ?? '', ...(!bare && client), ...env },
      },
    );
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<Ended>((resolve) =>
      child.once('close', (code) => resolve({ code, stdout, stderr })),
    );
    return { child, said: () => stderr, ended };
  }

  return {
    sandbox,
    start,
    run: (args, env, options) => start(args, env, options).ended,
    async close() {
      await sandbox.close();
      build.remove();
    },
  };
}
