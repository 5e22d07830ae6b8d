import { isIPv4, isIPv6 } from 'node:net';

/**
 * One value per client, to count by: an IPv4 address, or the /64 of an IPv6 address, which one
 * client owns whole. Proxies write more than an address into `X-Forwarded-For`: a port (Azure),
 * brackets, a zone. What is no address at all counts as one client.
 */
export function addressOf(forwarded: string | undefined): string {
  const address = bareAddress(forwarded ?? '');
  if (isIPv4(address)) return address;
  return isIPv6(address) ? networkOf(address) : 'unknown';
}

/** Without port, brackets, quotes and zone. */
export function bareAddress(forwarded: string): string {
  const text = forwarded.trim().replace(/^"(.*)"$/, '$1');
  const host =
    /^\[([^\]]*)\](?::\d*)?$/.exec(text)?.[1] ?? /^([\d.]+):\d*$/.exec(text)?.[1] ?? text;
  return host.replace(/%.*$/, '');
}

/** The IPv4 address that is mapped into an IPv6 address, else its first four groups. */
function networkOf(address: string): string {
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of a valid address. A URL spells it in one way: hexadecimal, one "::". */
function groupsOf(address: string): number[] {
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const numbers = (part: string): number[] =>
    part
      .split(':')
      .filter(Boolean)
      .map((group) => parseInt(group, 16));
  const [first, last] = [numbers(head), numbers(tail)];
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}
