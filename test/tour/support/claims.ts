import type { Counters } from '../../../sandbox/counters.js';
import type { Sandbox } from '../../../sandbox/sandbox.js';
import type { SceneId } from '../../../src/tour/scenes.js';

/** What the sandbox counts while a scene is played: the claim of the scene, read without the app. */
export const claims: Readonly<Record<SceneId, readonly number[]>> = {
  //         sign-ins, codes, renewals, refused, spent twice, API calls that were served
  'sign-in': [1, 1, 0, 0, 0, 1],
  expired: [0, 0, 1, 0, 0, 1],
  tabs: [0, 0, 1, 0, 0, 10],
  lost: [1, 1, 1, 1, 1, 1],
  revoked: [1, 1, 0, 1, 0, 1],
  limit: [0, 0, 0, 0, 0, 2], // one of them told that the limit is used up
  replay: [1, 1, 0, 0, 0, 1],
};

const numbers = ({ authorize, tokenByGrant, refreshOk, refreshRefused, ...rest }: Counters) => [
  authorize,
  tokenByGrant.authorization_code,
  refreshOk,
  refreshRefused,
  rest.refreshReuse,
  rest.apiCalls - rest.apiUnauthorized,
];

/** Starts to count; what it returns gives the counts since then, in the order of the claims. */
export function countFrom({ control }: Sandbox): () => number[] {
  const before = numbers(control.state().counters);
  return () => numbers(control.state().counters).map((count, at) => count - (before[at] ?? 0));
}
