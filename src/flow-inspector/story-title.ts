import { pages } from '../web/pages/pages.js';
import type { Step } from './step.js';

const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^POST \/logout$/, 'Sign-out'],
  [/^GET \/debts\//, 'One debt'],
  [/^GET \/session$/, 'Session'],
  [/^GET \/$/, 'Start page'],
  [/^GET \/oauth\/callback$/, 'A callback by itself'],
];

/**
 * What the card of a story is called: the page it began with, or what happened in the background.
 */
export function titleOf(steps: readonly Step[]): string {
  const has = (test: (step: Step) => boolean): boolean => steps.some(test);
  const renewed = has(({ topic }) => topic === 'renewal');
  const first = steps.find(({ kind, from }) => kind === 'request' && from === 'browser');
  if (first === undefined) {
    if (has(({ topic }) => topic === 'revocation')) return 'Revocation, in the background';
    return renewed ? 'Renewal, in the background' : 'In the background';
  }
  if (has(({ topic }) => topic === 'authorize')) {
    if (has(({ topic }) => topic === 'signed_in')) return 'Sign-in';
    const hasEnded = has(({ topic, kind }) => topic === 'sign_in_end' && kind === 'note');
    return hasEnded ? 'Sign-in that ended without a session' : 'Sign-in, under way';
  }
  const page = nameOf(first.title);
  if (has(({ topic }) => topic === 'not_asked')) return `${page}, while renewals are paused`;
  return renewed ? `${page}, with a renewal` : page;
}

/** A page is called what its link is called. */
const nameOf = (request: string): string =>
  pages.find(({ path }) => `GET ${path}` === request)?.label ??
  OTHERS.find(([pattern]) => pattern.test(request))?.[1] ??
  request;
