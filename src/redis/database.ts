import { Redis } from 'ioredis';

/**
 * The database of the URL, or none: ioredis would go on with database 0 when SELECT is refused (the
 * number is too high, or the user may not select). A refusal ends the connection instead, and the
 * next one tries again.
 */
export class RedisOfDatabase extends Redis {
  override async select(index: number): Promise<'OK'> {
    try {
      return await super.select(index);
    } catch (cause) {
      const { message } = cause as Error;
      const error = new Error(`database ${index} cannot be used (${message})`, { cause });
      this.emit('error', Object.assign(error, { code: 'NO_DATABASE' }));
      this.disconnect(true);
      return new Promise(() => undefined); // the connection must never count as ready
    }
  }
}
