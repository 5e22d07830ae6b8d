import fc from 'fast-check';
import { addressOf } from '../../src/web/client-address.js';

/** A test: whatever `X-Forwarded-For` holds, the address it counts by depends on nothing but the address. */
export function addressProperty({ runs }: { runs: number }): void {
  it('does not depend on the port or the spelling, and never grows', () => {
    const port = fc.integer({ min: 0, max: 65_535 });
    const numRuns = { numRuns: runs };
    fc.assert(
      fc.property(fc.ipV4(), port, (address, at) => {
        expect(addressOf(`${address}:${at}`)).toBe(address);
        expect(addressOf(`[::ffff:${address}]:${at}`)).toBe(address);
      }),
      numRuns,
    );
    fc.assert(
      fc.property(fc.ipV6(), port, (address, at) => {
        expect(addressOf(`[${address}]:${at}`)).toBe(addressOf(address));
        expect(addressOf(address.toUpperCase())).toBe(addressOf(address));
        expect(addressOf(new URL(`http://[${address}]`).hostname)).toBe(addressOf(address));
        expect(addressOf(address)).toMatch(/^([\da-f]{1,4}(:[\da-f]{1,4}){3}::\/64|[\d.]+)$/);
      }),
      numRuns,
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (anything) => {
        expect(addressOf(anything)).toMatch(/^[\da-f.:/]{1,26}$|^unknown$/);
      }),
      numRuns,
    );
  });
}
