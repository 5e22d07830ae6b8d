import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** A port of the demo: the variable that sets it, and what listens there. */
export interface DemoPort {
  readonly variable: string;
  readonly value: string;
  readonly usedFor: string;
}

/**
 * `[]` when the demo can listen on both. Else lines for a person: every problem, and a command that
 * works.
 */
export async function portProblems(ports: readonly [DemoPort, DemoPort]): Promise<string[]> {
  const [one, other] = ports;
  const numbers = ports.map(({ value }) => portNumber(value));
  const problems: (string | undefined)[] = [];
  for (const [index, port] of ports.entries()) problems.push(await problemOf(port, numbers[index]));
  if (numbers[0] !== undefined && numbers[0] === numbers[1]) {
    problems.push(
      `${one.variable} and ${other.variable} are both ${one.value}: each needs a port of its own`,
    );
  }
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0) return [];
  const free = await freePorts(numbers);
  const settings = ports.map(({ variable }, index) => `${variable}=${free[index]}`).join(' ');
  return [...found, `These ports are free: ${settings} npm run demo`];
}

function portNumber(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

async function problemOf(
  { variable, value, usedFor }: DemoPort,
  port?: number,
): Promise<string | undefined> {
  if (port === undefined)
    return `${variable} is "${value.slice(0, 40)}", which is no port: a number from 1 to 65535`;
  const code = await listenError(port);
  const place = `port ${port} (${variable}, ${usedFor})`;
  if (code === undefined) return undefined;
  if (code === 'EACCES')
    return `${place}: no permission to listen there; ports above 1023 need none`;
  if (code === 'EADDRINUSE') return `${place} is taken by ${await whatAnswersAt(port)}`;
  return `${place}: cannot listen there (${code})`;
}

async function listenError(port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'no code';
  } finally {
    server.close();
  }
}

async function whatAnswersAt(port: number): Promise<string> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      signal: AbortSignal.timeout(1_000),
    });
    const title = /<title>([^<]*)<\/title>/.exec(await response.text())?.[1] ?? '';
    if (title.includes('GetBill sandbox')) return 'a GetBill sandbox: is the demo running already?';
    if (title.includes('GetBill Connect')) return 'GetBill Connect: is the demo running already?';
    return 'another program, which speaks http';
  } catch {
    return 'another program';
  }
}

/** The ports as they are where they can be used, else the next free ones, else any. */
async function freePorts(numbers: readonly (number | undefined)[]): Promise<number[]> {
  const chosen: number[] = [];
  for (const wanted of numbers.map((number) => number ?? 3000)) {
    const candidates = Array.from({ length: 20 }, (_item, step) => wanted + step);
    let free: number | undefined;
    for (const port of candidates) {
      if (port > 65_535 || chosen.includes(port)) continue;
      if ((await listenError(port)) !== undefined) continue;
      free = port;
      break;
    }
    chosen.push(free ?? (await anyFreePort()));
  }
  return chosen;
}

export async function anyFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
