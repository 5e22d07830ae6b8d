import { formatsFor } from '../../src/web/pages/formats.js';

it('a reader has the formats of their language, however many others a stranger has asked for', () => {
  const regions = 'AD AE AG AI AR AT AU BB BE BF BG BJ BM BN BO BR BS BW BZ CA CD CF CG CH'.split(
    ' ',
  );
  for (const language of 'en fr es de pt it nl sv da nb'.split(' '))
    for (const region of regions) formatsFor([`${language}-${region}`]);
  expect(formatsFor(['pl-PL']).count(12345678)).toBe('12 345 678'.replaceAll(' ', '\u00a0'));
  expect(formatsFor(['en-GB']).count(12345678)).toBe('12,345,678');
});
