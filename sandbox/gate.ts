/** Where calls in mode 'hold' and 'holdAnswer' wait. */
export interface Gate {
  wait: () => Promise<void>;
  release: () => void;
  waiting: () => number;
}

export function createGate(): Gate {
  let held: (() => void)[] = [];
  return {
    wait: () => new Promise((resolve) => held.push(resolve)),
    release() {
      const released = held;
      held = [];
      for (const resolve of released) resolve();
    },
    waiting: () => held.length,
  };
}
