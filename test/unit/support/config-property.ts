import fc from 'fast-check';
import { hash } from 'node:crypto';
import { inspect } from 'node:util';
import { parseConfig } from '../../../src/config/config.js';
import { variables } from '../../../src/config/variables.js';
import { createRedis } from '../../../src/redis/client.js';
import { ConfigError } from '../../../src/errors.js';

/** Long enough that it cannot be part of a message by chance. */
const SECRET = 'CANARYx7';

const scheme = fc.constantFrom('redis:', 'rediss:', 'unix:', 'http:', 'https:', 'ftp:', '');
const piece = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom(
    '%',
    '%25',
    '#',
    '?',
    '@',
    ':',
    '/',
    '[',
    ']',
    '[::1]',
    ':0',
    ':99999',
    '\r',
    '\u200B',
    ',',
    '\\,',
  ),
  fc.constantFrom(
    'localhost',
    'xn--',
    'xn--mller-kva',
    'm\u00FCller',
    '127.1',
    '0x7f.1',
    '..',
    '"',
    '{}',
    '\0',
  ),
);
const urlLike = fc
  .tuple(scheme, fc.constantFrom('//', '/', ''), fc.array(piece, { maxLength: 6 }))
  .map(([start, slashes, parts]) => start + slashes + SECRET + parts.join(''));
const anyValue = fc.oneof(
  urlLike,
  fc.array(piece, { maxLength: 4 }).map((parts) => parts.join('') + SECRET),
  fc.array(piece, { maxLength: 4 }).map((parts) => SECRET + parts.join(',')),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.integer().map(String),
  fc.double().map(String),
  fc.constantFrom('production', 'true', 'https://connect.example.com', 'redis://localhost:6379'),
);

const names = fc.constantFrom(...Object.keys(variables));
const RIGHT = {
  GETBILL_CLIENT_ID: 'client-1',
  GETBILL_CLIENT_SECRET: hash('sha256', 'client', 'base64'),
  SESSION_SECRET: hash('sha256', 'session', 'base64'),
  TOKEN_ENCRYPTION_KEY: hash('sha256', 'key', 'base64'),
};
const environment = fc
  .tuple(fc.constantFrom({}, RIGHT), fc.dictionary(names, anyValue, { maxKeys: 4 }))
  .map(([base, given]) => ({ ...base, ...given }));

/** For any environment: a configuration that Redis clients can be made of, or a ConfigError with variable names and no value. */
export function checkParseConfig(numRuns: number): void {
  fc.assert(
    fc.property(environment, (env) => {
      try {
        const config = parseConfig(env);
        if (config.redis !== undefined) createRedis(config.redis).disconnect();
        if (inspect(config.session).includes(SECRET))
          throw new Error('the configuration shows a secret');
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const text = inspect(error, { depth: null });
        if (text.includes(SECRET)) throw new Error('a problem shows a value', { cause: error });
        for (const problem of error.problems) {
          if (!/^[A-Z][A-Z_]+[ =,]/.test(problem))
            throw new Error(`a problem names no variable: ${problem}`);
        }
      }
    }),
    { numRuns, plugins: [fc.interruptAfterTimeLimit(300_000, { failOnInterrupt: true })] },
  );
}
