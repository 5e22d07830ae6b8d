import { z } from 'zod';
import type { Tab } from './tab.js';

const stepsSchema = z.object({
  steps: z.array(
    z.object({
      atMs: z.number(),
      kind: z.string(),
      from: z.string(),
      to: z.string(),
      title: z.string(),
      process: z.string(),
      chain: z.string(),
    }),
  ),
});

export interface Note {
  readonly text: string;
  /** Where the flow shows it. */
  readonly href: string;
}

/** Names the processes that renewed and served the tabs; `undefined` without the flow inspector. */
export async function describeLeader(
  visitor: Tab,
  { sinceMs }: { sinceMs: number },
): Promise<Note | undefined> {
  const { json } = await visitor.get('/flow/steps');
  const { success, data } = stepsSchema.safeParse(json);
  if (!success) return undefined;
  const requests = data.steps.filter(({ atMs, kind }) => kind === 'request' && atMs >= sinceMs);
  const renewal = requests.find(({ title }) => title === 'Refresh request');
  if (renewal === undefined) return undefined;
  const tabs = new Map<string, number>();
  for (const { from, process } of requests)
    if (from === 'browser') tabs.set(process, (tabs.get(process) ?? 0) + 1);
  const served = Array.from(tabs, ([process, count]) => `${process} (${count})`).sort();
  return {
    text: `Led by process ${renewal.process}. The tabs were served by ${served.join(', ')}.`,
    href: `/flow?chain=${renewal.chain}`,
  };
}
