import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { misused } from '../input.js';

/**
 * Each process has a lock file with its pid in the name: no lock is ever without its owner, and one
 * of a dead process is nobody else's. It looks for the others after it has made its own, so of two
 * that begin at once at least one sees the other. @returns what gives the lock back.
 */
export function takeLock(path: string): () => void {
  const own = lockOf(path, process.pid);
  try {
    writeFileSync(own, '', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') isAtWork(path, process.pid);
    misused(`the report cannot be written: ${path}`);
  }
  const release = (): void => rmSync(own, { force: true });
  const others = lockersOf(path).filter((pid) => pid !== process.pid);
  const owner = others.find(isAlive);
  if (owner !== undefined) {
    release();
    isAtWork(path, owner);
  }
  for (const dead of others) rmSync(lockOf(path, dead), { force: true });
  return release;
}

const lockOf = (path: string, pid: number): string => `${path}.lock.${pid}`;

function lockersOf(path: string): number[] {
  const prefix = `${basename(path)}.lock.`;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix));
  const pids = names.map((name) => name.slice(prefix.length));
  return pids.filter((pid) => /^\d+$/.test(pid)).map(Number);
}

const isAtWork = (path: string, pid: number): never =>
  misused(`process ${pid} is at work with ${path}: wait for it, or delete ${lockOf(path, pid)}`);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
