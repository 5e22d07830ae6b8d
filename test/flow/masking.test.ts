import { cleaned } from '../../src/flow-inspector/masking.js';

const mask = (): string => 'MASKED';

describe("somebody else's text", () => {
  it.each([
    'authorization_request_parameter_not_supported',
    'a.long.name-of-many_words.',
    'a'.repeat(60),
  ])('is shown where it is words: %s', (text) => expect(cleaned(text, mask)).toBe(text));

  it.each([
    `${'a'.repeat(60)}1`, // a pattern that tries each way to part the letters would not end
    `${'word-'.repeat(12)}-`,
    '_starts_with_no_letter_at_all',
  ])('is masked where it may be a token: %s', (text) => expect(cleaned(text, mask)).toBe('MASKED'));
});
