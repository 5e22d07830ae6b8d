import {
  faultsSchema,
  type ApiFault,
  type Faults,
  type RevokeFault,
  type TokenFault,
} from './faults.js';

interface Queues {
  token: TokenFault;
  api: ApiFault;
  revokeFault: RevokeFault;
}

export interface FaultState {
  current: () => Readonly<Faults>;
  /**
   * @throws {Error} naming each field that is unknown or has a wrong value; nothing is changed
   * then.
   */
  set: (partial: Partial<Faults>) => void;
  reset: () => void;
  /**
   * The first queued fault that matches, counted down; those that do not match keep their place.
   */
  take<Q extends keyof Queues>(
    queue: Q,
    matches?: (fault: Queues[Q]) => boolean,
  ): Queues[Q] | undefined;
}

/** @throws {Error} as `set`, for the start values. */
export function createFaultState({ start }: { start: Faults }): FaultState {
  let faults: Faults = { ...start, ...checked(start) };

  function take<Q extends keyof Queues>(
    name: Q,
    matches: (fault: Queues[Q]) => boolean = () => true,
  ) {
    const queue = faults[name] as Queues[Q][];
    const index = queue.findIndex((fault) => matches(fault));
    const fault = queue[index];
    if (fault === undefined) return undefined;
    const times = fault.times ?? 1;
    if (times === 1) queue.splice(index, 1);
    else if (times > 1) fault.times = times - 1;
    return fault;
  }

  return {
    current: () => faults,
    set(partial) {
      faults = { ...faults, ...checked(partial) };
    },
    reset() {
      faults = { ...start, ...checked(start) };
    },
    take,
  };
}

/** A copy of the fields that are given, or an error that names every wrong one. */
function checked(partial: Partial<Faults>): Partial<Faults> {
  const parsed = faultsSchema.partial().safeParse(partial);
  if (!parsed.success) {
    const texts = parsed.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join('.')}: ${message}`,
    );
    throw new Error(texts.join('; '));
  }
  const given = Object.entries(structuredClone(parsed.data)).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(given);
}
