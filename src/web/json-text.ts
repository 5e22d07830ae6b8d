import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Up to here `JSON.parse` is quick; one of 1 MiB would stop the whole process for up to 100 ms. */
const PARSED_HERE = 16 * 1024;

/** As text, because a file has one name in the sources and another in the build. */
const PARSER_THREAD = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', (bytes) => {
    let isJson = true;
    try {
      JSON.parse(Buffer.from(bytes).toString());
    } catch {
      isJson = false;
    }
    parentPort.postMessage(isJson);
  });`;

let thread: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Whether the bytes are one JSON text (RFC 8259). Long ones are parsed in a thread, one after the
 * other.
 */
export async function isJsonText(bytes: Buffer): Promise<boolean> {
  // `toString` would replace bytes that are not UTF-8
  if (!isUtf8(bytes)) return false;
  if (bytes.length <= PARSED_HERE) return isParseable(bytes);
  const parsed = last.then(() => parseInThread(bytes));
  last = parsed.catch(() => undefined);
  return await parsed;
}

function isParseable(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}

/**
 * @throws {Error} the thread had too little memory, and has ended; the next text gets a new one.
 */
async function parseInThread(bytes: Buffer): Promise<boolean> {
  thread ??= startThread();
  thread.postMessage(bytes);
  const [isJson] = (await once(thread, 'message')) as [boolean];
  return isJson;
}

function startThread(): Worker {
  const started = new Worker(PARSER_THREAD, { eval: true, execArgv: [] });
  started.once('error', () => (thread = undefined));
  started.unref();
  return started;
}
