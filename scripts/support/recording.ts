import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Frames that follow each other faster are one. */
const MIN_FRAME_MS = 120;
const LAST_FRAME_MS = 3_000;
/** A wait for something else than the page is no part of the film. */
const MAX_FRAME_MS = 2_000;

interface Frame {
  readonly atMs: number;
  readonly png: Buffer;
}

/**
 * Records what `play` does on the page as an animated WebP. Needs img2webp (Debian: apt-get install
 * webp).
 */
export async function record(page: Page, file: string, play: () => Promise<void>): Promise<void> {
  const frames: Frame[] = [];
  const session = await page.context().newCDPSession(page);
  session.on('Page.screencastFrame', ({ data, metadata, sessionId }) => {
    const atMs = (metadata.timestamp ?? 0) * 1000;
    const last = frames.at(-1);
    const isSoon = last !== undefined && atMs - last.atMs < MIN_FRAME_MS;
    if (isSoon) frames.pop();
    frames.push({ atMs: isSoon ? last.atMs : atMs, png: Buffer.from(data, 'base64') });
    void session.send('Page.screencastFrameAck', { sessionId }).catch(() => undefined);
  });
  await session.send('Page.startScreencast', { format: 'png' });
  await play();
  await session.send('Page.stopScreencast');

  const folder = mkdtempSync(join(tmpdir(), 'frames-'));
  const args = frames.flatMap(({ atMs, png }, index) => {
    const path = join(folder, `${index}.png`);
    writeFileSync(path, png);
    const nextMs = frames[index + 1]?.atMs ?? atMs + LAST_FRAME_MS;
    const isLast = index === frames.length - 1;
    const durationMs = isLast ? LAST_FRAME_MS : Math.min(MAX_FRAME_MS, nextMs - atMs);
    return ['-d', String(Math.max(MIN_FRAME_MS, Math.round(durationMs))), path];
  });
  execFileSync('img2webp', ['-loop', '0', '-lossless', '-q', '90', '-m', '6', ...args, '-o', file]);
  rmSync(folder, { recursive: true });
}
