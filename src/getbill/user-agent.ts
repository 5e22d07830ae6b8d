import { readFileSync } from 'node:fs';

const packageJson = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(packageJson) as { version: string };

/** Sent to GetBill with every call, so that its operators and its firewall know the caller. */
export const USER_AGENT = `getbill-connect/${version}`;
