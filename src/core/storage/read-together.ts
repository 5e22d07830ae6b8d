interface Reader {
  readonly key: string;
  readonly resolve: (value: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads that are asked for in the same turn of the event loop go as one command (MGET): under load the command costs far more
 * than the key. Each is sent after it was asked for, so it sees every write that was answered before. MGET calls a key of
 * another type absent, so what it does not find is asked for by itself, like one that is alone. Not for Cluster, where
 * keys live apart.
 */
export function readTogether({
  readMany,
  readOne,
}: {
  readMany: (keys: string[]) => Promise<(string | null)[]>;
  readOne: (key: string) => Promise<string | undefined>;
}): (key: string) => Promise<string | undefined> {
  let waiting: Reader[] = [];

  async function send(): Promise<void> {
    const readers = waiting;
    waiting = [];
    try {
      const values = readers.length === 1 ? [] : await readMany(readers.map(({ key }) => key));
      readers.forEach(({ key, resolve, reject }, index) => {
        const value = values[index];
        if (typeof value === 'string') resolve(value);
        else readOne(key).then(resolve, reject);
      });
    } catch (error) {
      for (const { reject } of readers) reject(error);
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void send());
      waiting.push({ key, resolve, reject });
    });
}
