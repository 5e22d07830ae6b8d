import { createGetbillClient, type GetbillClient } from './client.js';
import type { Access, Forward } from './api-call.js';
import { createWalk, type Sleep, type Walk } from './pagination.js';

/** The API for work without a person, each call with the one scope it needs; `all` walks a list. */
export interface AppClient extends GetbillClient {
  all: Walk;
}

export function createAppClient({
  forward,
  accessFor,
  sleep,
  requestId,
}: {
  forward: Forward;
  accessFor: (scope: string) => Promise<Access>;
  sleep: Sleep;
  requestId: string;
}): AppClient {
  return {
    ...createGetbillClient({ forward, accessFor, requestId, caller: 'job' }),
    all: createWalk({ sleep }),
  };
}
