import { checkParseConfig } from './support/config-property.js';

it('any environment gives a configuration, or an error with names and without values', () => {
  checkParseConfig(200);
});
