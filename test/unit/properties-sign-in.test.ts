/// <reference types="jest" />
import { properties } from '../support/sign-in-properties.js';

describe('for 200 inputs of any kind', () => {
  it.each(Object.entries(properties))('%s', (_name, check) => {
    check(200);
  });
});
