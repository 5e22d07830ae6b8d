import { checkParseConfig } from '../unit/support/config-property.js';

jest.setTimeout(600_000);

it('any of 10,000 environments gives a configuration, or an error with names and without values', () => {
  checkParseConfig(10_000);
});
