import type { Redis } from 'ioredis';
import type { RedisConfig } from '../config/config.js';
import { readTextFile } from '../config/value-files.js';

type ReadPassword = () => string | undefined;

/** ioredis reads these options when it connects, so that a password which has changed is used. */
export function readAtEachConnection(redis: Redis, passwords: Record<string, ReadPassword>): Redis {
  for (const [option, get] of Object.entries(passwords)) {
    Object.defineProperty(redis.options, option, { get, enumerable: true, configurable: true });
  }
  return redis;
}

/** User and passwords. The Sentinels have those in the URL, too, unless they have their own. */
export function credentials(config: RedisConfig) {
  const [{ username, password }] = config.urls.reveal();
  const user = decodeURIComponent(username) || undefined;
  const hasOwn = (config.sentinelPasswordFile ?? config.sentinelPassword) !== undefined;
  const forRedis = passwordFrom({
    file: config.passwordFile,
    fixed: config.password?.reveal() ?? (decodeURIComponent(password) || undefined),
  });
  return {
    username: user,
    password: forRedis,
    sentinelUsername: config.sentinelUsername ?? (hasOwn ? undefined : user),
    sentinelPassword: hasOwn
      ? passwordFrom({
          file: config.sentinelPasswordFile,
          fixed: config.sentinelPassword?.reveal(),
        })
      : forRedis,
  };
}

/** While the file is being replaced, the last password that was read still counts. */
function passwordFrom({
  file,
  fixed,
}: {
  file: string | undefined;
  fixed: string | undefined;
}): ReadPassword {
  let last = fixed;
  return () => {
    if (file === undefined) return fixed;
    try {
      last = readTextFile(file).trim() || last;
    } catch {
      // being replaced
    }
    return last;
  };
}
