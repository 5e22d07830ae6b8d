import type { Request } from 'express';

/** The query of the page and of its stream. */
export interface FlowQuery {
  readonly after: number;
  readonly oauthOnly: boolean;
  readonly chain: string | undefined;
  readonly step: number | undefined;
  readonly request: string | undefined;
  /** A stream begins with so many of the newest stories. */
  readonly stories: number | undefined;
}

export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  return number > 0 ? number : undefined;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined;

export const flowQueryOf = ({ query }: Request): FlowQuery => ({
  after: numberOf(query['after']) ?? 0,
  oauthOnly: query['show'] === 'oauth',
  chain: textOf(query['chain']),
  step: numberOf(query['step']),
  request: textOf(query['request']),
  stories: numberOf(query['stories']),
});

export function linkTo({ after, oauthOnly, step, chain }: Partial<FlowQuery>): string {
  const query = new URLSearchParams();
  if (after) query.set('after', String(after));
  if (oauthOnly === true) query.set('show', 'oauth');
  if (chain !== undefined) query.set('chain', chain);
  if (step !== undefined) query.set('step', String(step));
  const text = query.toString();
  return text === '' ? '/flow' : `/flow?${text}`;
}
