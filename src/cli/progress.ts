import { Presets, SingleBar } from 'cli-progress';
import { toStderr } from './output.js';

/** The progress of a walk, shown on standard error: standard output is for data. */
export interface Progress {
  page(pagination: { page: number; pages: number; limit: number; total: number }): void;
  wait(wait: { page: number; waitMs: number }): void;
  stop(): void;
}

/** A bar at a terminal, else a line per page. */
export function createProgress(stream: NodeJS.WriteStream, noun = 'page'): Progress {
  return stream.isTTY ? bar(stream, noun) : lines(noun);
}

function bar(stream: NodeJS.WriteStream, noun: string): Progress {
  const format = `{bar} {value} of {total}, ${noun} {page} of {pages}{note}`;
  const single = new SingleBar(
    { stream, format, gracefulExit: false, hideCursor: true },
    Presets.shades_classic,
  );
  return {
    page({ page, pages, limit, total }) {
      const done = Math.min(page * limit, total);
      const payload = { page, pages, note: '' };
      if (single.isActive) single.update(done, payload);
      else single.start(total, done, payload);
    },
    wait(wait) {
      if (!single.isActive) return lines(noun).wait(wait); // the bar begins with the first response
      single.update({ note: `, GetBill says to wait ${inSeconds(wait.waitMs)}` });
    },
    stop: () => single.stop(),
  };
}

function lines(noun: string): Progress {
  return {
    page: ({ page, pages, limit, total }) =>
      toStderr(`${noun} ${page} of ${pages}: ${Math.min(page * limit, total)} of ${total}`),
    wait: ({ page, waitMs }) =>
      toStderr(`GetBill's limit is reached: ${noun} ${page} again in ${inSeconds(waitMs)}`),
    stop: () => undefined,
  };
}

const inSeconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;
