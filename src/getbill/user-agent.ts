import { readFileSync } from 'node:fs';

const packageJson = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(packageJson) as { version: string };

/**
 * On every call to GetBill, so that its operators (and a firewall that wants one) know the caller.
 */
export const USER_AGENT = `getbill-connect/${version}`;
