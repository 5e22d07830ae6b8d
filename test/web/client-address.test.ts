import { addressOf } from '../../src/web/client-address.js';
import { addressProperty } from '../support/address-property.js';
import { startTestApp } from '../support/test-app.js';

describe('the address a client is counted by', () => {
  it.each([
    ['203.0.113.6', '203.0.113.6'],
    ['203.0.113.6:50001', '203.0.113.6'],
    ['203.0.113.6:50002', '203.0.113.6'],
    ['203.0.113.6:', '203.0.113.6'],
    ['"203.0.113.6:50001"', '203.0.113.6'],
    [' 203.0.113.6 ', '203.0.113.6'],
    ['::ffff:203.0.113.6', '203.0.113.6'],
    ['::FFFF:cb00:7106', '203.0.113.6'],
    ['[::ffff:203.0.113.6]:443', '203.0.113.6'],
    ['0:0:0:0:0:ffff:203.0.113.6', '203.0.113.6'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::1]:443', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::1]', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['[fe80::1%25eth0]:80', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::203.0.113.6', '64:ff9b:0:0::/64'],
  ])('of %p is %p', (forwarded, address) => {
    expect(addressOf(forwarded)).toBe(address);
  });

  it.each([undefined, '', 'unknown', '_hidden', '_SEVKISEK', 'localhost', '203.0.113', '1.2.3.4.5', '999.1.1.1', '::1::', '[', ']:', ':80', 'for=203.0.113.6', '203.0.113.6:50001:2', '\0'])(
    'is the same for all that are none (%p)',
    (forwarded) => {
      expect(addressOf(forwarded)).toBe('unknown');
    },
  ); // prettier-ignore

  addressProperty({ runs: 200 });
});

it('a proxy that writes the port of each connection does not lift the limit', async () => {
  const app = await startTestApp({ env: { TRUST_PROXY: '1', RATE_LIMIT_LOGIN: '10' } });
  try {
    const login = (forwarded: string) =>
      app.browser().get('/login', { 'x-forwarded-for': forwarded });
    const statuses: number[] = [];
    for (let port = 50_001; port <= 50_012; port += 1)
      statuses.push((await login(`203.0.113.6:${port}`)).status);
    expect(statuses).toEqual([...new Array<number>(10).fill(302), 429, 429]);
    expect((await login('203.0.113.7:50001')).status).toBe(302);
  } finally {
    await app.close();
  }
});

it.each([
  '203.0.113.6:50001, 10.0.0.5',
  '203.0.113.6:50001, 10.0.0.5:443',
  '203.0.113.6, [::ffff:10.0.0.5]:443',
])(
  'a trusted proxy that is named with its port does not stand for all its visitors: %s',
  async (first) => {
    const app = await startTestApp({
      env: { TRUST_PROXY: 'loopback, 10.0.0.0/8', RATE_LIMIT_LOGIN: '2' },
    });
    try {
      const statusFor = async (forwarded: string) =>
        (await app.browser().get('/login', { 'x-forwarded-for': forwarded })).status;
      const statuses = [await statusFor(first), await statusFor(first), await statusFor(first)];
      expect(statuses).toEqual([302, 302, 429]);
      expect(await statusFor(first.replace('113.6', '113.7'))).toBe(302);
      expect(await statusFor(`${first}, 192.0.2.1:443`)).toBe(302); // not trusted, so it is the client
    } finally {
      await app.close();
    }
  },
);
