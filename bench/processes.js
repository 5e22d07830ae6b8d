import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), 'gb-bench-'));
const children = [];
const TICK_US = 10_000; // of /proc/PID/stat

/** Starts a server that prints `{"port": ...}` when it listens. */
export function start(file, env, { nodeOptions = [] } = {}) {
  const child = spawn(process.execPath, [...nodeOptions, here(file)], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] }); // prettier-ignore
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    const listen = (chunk) => {
      text += chunk;
      const port = /"port":(\d+)/.exec(text)?.[1];
      if (port === undefined) return;
      child.stdout.off('data', listen).resume(); // a log that nobody reads would stop it
      resolve({ pid: child.pid, origin: `http://127.0.0.1:${port}`, stop: () => stop(child) });
    };
    child.stdout.on('data', listen);
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}: ${text}`)));
  });
}

const stop = (child) =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.removeAllListeners('exit');
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });

export async function startRedis() {
  const socket = join(folder, 'redis.sock');
  const child = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', folder], { stdio: 'ignore' }); // prettier-ignore
  children.push(child);
  return { url: `unix://${socket}`, path: socket };
}

export async function stopAll() {
  await Promise.all(children.map(stop));
  rmSync(folder, { recursive: true, force: true });
}

/** User and system time that a process has used, in microseconds. */
export function cpuUs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

export const memoryMb = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** wrk, one thread, 32 connections, over the browsers whose cookies are given. */
export async function load({ servers, path, cookies, seconds, accept = 'application/json' }) {
  const file = join(folder, `cookies-${Math.random()}`);
  writeFileSync(file, cookies.join('\n'));
  const before = servers.map(({ pid }) => cpuUs(pid));
  const each = await Promise.all(
    servers.map(({ origin }) => wrk(origin + path, seconds, { COOKIES: file, ACCEPT: accept })),
  );
  const cpu = servers.reduce((sum, { pid }, index) => sum + cpuUs(pid) - before[index], 0);
  const requests = each.reduce((sum, one) => sum + one.requests, 0);
  return {
    perSecond: each.reduce((sum, one) => sum + one.requests / one.seconds, 0),
    cpuUs: cpu / requests,
    p50Ms: Math.max(...each.map((one) => one.p50Ms)),
    p99Ms: Math.max(...each.map((one) => one.p99Ms)),
    errors: each.reduce((sum, one) => sum + one.errors, 0),
  };
}

async function wrk(url, seconds, env) {
  const options = ['-t1', '-c32', `-d${seconds}s`, '--latency', '-s', here('load.lua'), url];
  const { stdout } = await promisify(execFile)('wrk', options, {
    env: { PATH: process.env.PATH, ...env },
  });
  return JSON.parse(/RESULT (.*)/.exec(stdout)[1]);
}
