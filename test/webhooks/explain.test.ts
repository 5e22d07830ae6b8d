import { explainSignature } from '../../src/webhooks/explain.js';
import { signatureOf } from '../../src/webhooks/signature.js';

const SECRET = 'CANARY-webhook-secret-0123456789';
const event = { type: 'debt.updated', data: { id: 'd1', url: 'https://x', name: 'Hélène' } };
const body = Buffer.from(JSON.stringify(event));
const good = signatureOf(body, SECRET);
const pretty = Buffer.from(JSON.stringify(event, undefined, 2));
const explain = (bytes: Buffer, header: string) =>
  explainSignature(bytes, header, [SECRET, 'the-old-secret-of-this']);

describe('why a signature does not fit', () => {
  it('says so when it fits, also with the old secret', () => {
    expect(explain(body, good).fits).toBe(true);
    expect(explain(body, signatureOf(body, 'the-old-secret-of-this')).fits).toBe(true);
  });

  it.each<[string, Buffer, string, RegExp]>([
    ['a prefix', body, `sha256=${good}`, /has a prefix/],
    ['upper case', body, good.toUpperCase(), /upper case/],
    [
      'upper case with a prefix and spaces',
      body,
      ` SHA256=${good.toUpperCase()} `,
      /spaces.*prefix.*upper case/,
    ],
    ['base64', body, Buffer.from(good, 'hex').toString('base64'), /base64/],
    ['something else', body, 'abc', /not 64 hex digits/],
    [
      'a line break in the secret',
      body,
      signatureOf(body, `${SECRET}\n`),
      /a line break at the end of the secret/,
    ],
    [
      'an empty body, with the old secret',
      body,
      signatureOf(Buffer.alloc(0), 'the-old-secret-of-this'),
      /empty body/,
    ],
    ['an empty secret', body, signatureOf(body, ''), /nothing as the secret/],
    [
      'a body that was parsed and written again',
      pretty,
      good,
      /parsed and written again.*raw body/,
    ],
    [
      'a body that was written with spaces',
      body,
      signatureOf(pretty, SECRET),
      /two spaces.*raw body/,
    ],
    [
      'a body with a line break at its end',
      Buffer.concat([body, Buffer.from('\n')]),
      good,
      /without the line break/,
    ],
    [
      'slashes as PHP writes them',
      body,
      signatureOf(Buffer.from(body.toString().replaceAll('/', '\\/')), SECRET),
      /PHP/,
    ],
    ['an empty body', body, signatureOf(Buffer.alloc(0), SECRET), /empty body/],
    ['another secret', body, signatureOf(body, 'CANARY-another'), /another one/],
    ['another secret and no JSON', Buffer.from('nonsense'), good, /another one/],
  ])('names %s', (_what, bytes, header, reason) => {
    const { fits, text } = explain(bytes, header);
    expect(fits).toBe(false);
    expect(text).toMatch(reason);
    expect(text).not.toContain('CANARY');
  });
});
