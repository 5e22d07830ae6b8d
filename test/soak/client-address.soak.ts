import { addressProperty } from '../support/address-property.js';

describe('the address a client is counted by, ten thousand times', () => {
  addressProperty({ runs: 10_000 });
});
