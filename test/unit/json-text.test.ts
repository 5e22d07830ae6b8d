import fc from 'fast-check';
import { isJsonText } from '../../src/web/json-text.js';

/** Longer than what is parsed at once. */
const PADDING = ' '.repeat(70_000);

const isParseable = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
const isLongJson = async (text: string): Promise<boolean> =>
  await isJsonText(Buffer.from(PADDING + text + PADDING));

describe('a long JSON text', () => {
  it.each([
    '{}', '[]', '""', '0', '-0.5e+10', 'true', '{"a":[1,{"b":null}]}', '"\\u00e9\\n"', '[[],{}]', '"é"',
  ])('is accepted: %s', async (text) => {
    expect(await isLongJson(text)).toBe(true);
  }); // prettier-ignore

  it.each([
    '', '{', '[', '"', '{"a"}', '{"a":}', '{"a":1,}', '[1,]', '[,1]', '{,}', '1 2', '[1 2]', '{"a":1 "b":2}', '01', '+1',
    '1.', '.5', '1e', 'tru', 'NaN', "'a'", '"\\x"', '"\\u12g4"', '"a\nb"', '{"a":1}}', '[}', '{]', '{1:2}', ',', ':',
    'true"a"', '"a"1', '"a""b"', '[1]0', '\uFEFF{}', '{"a":1}\0', '{"a"::1}', '[:]', 'nulltrue', '{"a":"b":1}',
  ])('is refused: %s', async (text) => {
    expect(await isLongJson(text)).toBe(false);
  }); // prettier-ignore

  it.each([0, 70_000])('is refused where it is not UTF-8, behind %d spaces', async (spaces) => {
    const text = `${' '.repeat(spaces)}{"name":"Jürgen"}`;
    expect(await isJsonText(Buffer.from(text))).toBe(true);
    expect(await isJsonText(Buffer.from(text, 'latin1'))).toBe(false);
  });

  it('is accepted and refused as JSON.parse does, whatever is cut out of it or put into it', async () => {
    const mutated = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"',
          '\\',
          ' ',
          '1',
          'e',
          '.',
          '-',
          'tu',
          '\u0001',
        ),
      )
      .map(([text, at, cut, put]) => {
        const index = at % (text.length + 1);
        return text.slice(0, index) + put + text.slice(index + cut);
      });
    const property = fc.asyncProperty(fc.oneof(fc.json(), mutated), async (text) => {
      expect(await isLongJson(text)).toBe(isParseable(text));
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it('is parsed beside others without holding up what else there is to do', async () => {
    const body = Buffer.from('['.repeat(500_000) + ']'.repeat(500_000));
    const checks = Promise.all(Array.from({ length: 3 }, () => isJsonText(body)));
    let turns = 0;
    const count = (): void => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    expect(await checks).toEqual([true, true, true]);
    clearImmediate(immediate);
    expect(turns).toBeGreaterThan(100); // each of the three takes many turns, not one
  });
});
