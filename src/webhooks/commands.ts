import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Config } from '../config/config.js';
import { createCipher } from '../core/storage/cipher.js';
import { AppError, ConfigError, StorageError } from '../errors.js';
import { problemOfFirst } from '../redis/problem-of-first.js';
import { connectForWebhooks } from './connection.js';
import { atMsOf } from './entry-id.js';
import { documentedTypes, subjectOf, type WebhookEvent } from './envelope.js';
import { explainSignature } from './explain.js';
import { defaultLimits, type Inbox } from './inbox.js';
import { createRedisInbox } from './redis-inbox.js';
import { sendWebhook, withMember } from './trigger.js';

interface Deps {
  /** Prints data, on standard output. */
  readonly print: (text: string) => void;
  /** Prints anything but data, on standard error. */
  readonly tell: (text: string) => void;
  readonly config: () => Promise<Config>;
  readonly now: () => number;
}

/** `npm run getbill -- webhooks ...`: sends, lists, replays and explains webhooks. */
export function addWebhookCommands(program: Command, { print, tell, config, now }: Deps): void {
  const webhooks = program
    .command('webhooks')
    .description('webhooks of GetBill: send, list, replay, explain');
  const endpointOption = (): Option =>
    new Option(
      '--endpoint <name>',
      'as in /webhooks/getbill/<name>; without it the plain one',
    ).default('');

  webhooks
    .command('trigger <type>')
    .description(`sends a signed webhook to this app, for example ${documentedTypes[1]}`)
    .addOption(endpointOption())
    .option('--data <json>', 'the member data of the body', jsonFrom, { id: 'example' })
    .option('--url <origin>', 'where the app is, when not at PUBLIC_URL', originFrom)
    .action(async (type: string, flags: { endpoint: string; data: unknown; url?: URL }) => {
      const read = await config();
      const { secrets } = endpointOf(read, flags.endpoint);
      const time = new Date(now()).toISOString();
      const event = withMember({ type, data: flags.data }, read.webhooks.timeField, time);
      const path = ['/webhooks/getbill', flags.endpoint].filter(Boolean).join('/');
      const url = new URL(path, flags.url ?? read.publicUrl);
      print(await sendWebhook(event, { url, secret: secrets.reveal()[0] ?? '' }));
    });

  webhooks
    .command('list')
    .description('the last ones that came in, the newest first')
    .addOption(endpointOption())
    .action(async (flags: { endpoint: string }) => {
      await withInbox(await config(), flags.endpoint, async (inbox) => {
        const entries = await inbox.recent(100);
        for (const { id, type, state, body } of entries) {
          const subject = subjectOf(JSON.parse(body) as WebhookEvent) ?? '';
          const time = new Date(atMsOf(id)).toISOString();
          print([id, time, state, type, subject].join('  ').trimEnd());
        }
        if (entries.length === 0) tell('no webhook has come in');
      });
    });

  webhooks
    .command('replay <id>')
    .description('handles one of the list once more')
    .addOption(endpointOption())
    .action(async (id: string, flags: { endpoint: string }) => {
      await withInbox(await config(), flags.endpoint, async (inbox) => {
        const outcome = /^\d{1,16}-\d{1,16}$/.test(id) ? await inbox.again(id) : 'gone';
        const hint = 'npm run getbill -- webhooks list shows those that are kept';
        if (outcome === 'gone')
          throw new AppError(`there is no webhook ${id}`, { code: 'not_found', status: 404, hint });
        const refusal = { code: 'webhook_not_taken', status: 503 };
        if (outcome === 'full') throw new AppError('too many webhooks wait to be handled', refusal);
        tell('it will be handled again within a second');
      });
    });

  webhooks
    .command('explain')
    .description('why a signature does not fit a body')
    .requiredOption('--body <file>', 'the raw body, byte for byte', bytesFrom)
    .requiredOption('--signature <text>', 'the header X-GetBill-Signature')
    .addOption(endpointOption())
    .action(async (flags: { body: Buffer; signature: string; endpoint: string }) => {
      const { secrets } = endpointOf(await config(), flags.endpoint);
      const { fits, text } = explainSignature(flags.body, flags.signature, secrets.reveal());
      print(text);
      const refusal = { code: 'signature_different', status: 401 };
      if (!fits) throw new AppError('the signature does not fit', refusal);
    });
}

function endpointOf({ webhooks }: Config, name: string): Config['webhooks']['endpoints'][number] {
  const endpoint = webhooks.endpoints.find((each) => each.name === name);
  if (endpoint !== undefined) return endpoint;
  if (name !== '') throw new ConfigError([`GETBILL_WEBHOOK_ENDPOINTS has no entry ${name}`]);
  throw new ConfigError(['GETBILL_WEBHOOK_SECRET is not set; docs/webhooks.md says how']);
}

async function withInbox(
  config: Config,
  name: string,
  use: (inbox: Inbox) => Promise<void>,
): Promise<void> {
  endpointOf(config, name);
  if (config.redis === undefined) {
    throw new ConfigError([
      'REDIS_URL is not set: without it webhooks are in the memory of the app, and on its page /events',
    ]);
  }
  const connection = connectForWebhooks(config.redis, () => undefined);
  try {
    const cipher = createCipher(config.tokenEncryptionKeys.reveal());
    const own = { endpoint: name, consumer: 'command line', limits: defaultLimits, replicas: 0 };
    const { redis, connected } = connection;
    await use(createRedisInbox({ redis, cipher, connected, ...own }));
  } catch (error) {
    const reason = error instanceof StorageError ? await problemOfFirst(config.redis) : undefined;
    throw reason === undefined ? error : new StorageError(reason);
  } finally {
    connection.close();
  }
}

function bytesFrom(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InvalidArgumentError(`It cannot be read (${code}).`);
  }
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It is not JSON.');
  }
}

function originFrom(text: string): URL {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError('It is no origin such as http://localhost:3000.');
}
