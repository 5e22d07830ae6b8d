import type { ApproveRequest } from '../../../sandbox/sign-in.js';
import type { Browser } from '../../support/browser.js';
import { paramOf } from '../../support/sign-in.js';

/** The sample or the app: whatever is done to the one is done to the other. */
export interface Site {
  origin: string;
  browser(): Browser;
}

/** Companies of the sandbox, by who signs in with them. */
export const ATTACKER = 'Recouvrement Lumière SARL';
export const VICTIM = 'Example Collections LLC';

type Choice = Omit<ApproveRequest, 'authorizeUrl'>;

/** A browser that has been to GetBill and is on its way back. */
export async function onItsWay(
  site: Site,
  choice: Choice = {},
): Promise<{ browser: Browser; path: string; code: string }> {
  const browser = site.browser();
  const path = await browser.approve(await browser.startLogin(), choice);
  return { browser, path, code: paramOf(path, 'code') };
}

export async function signedIn(site: Site, choice: Choice = {}): Promise<Browser> {
  const browser = site.browser();
  await browser.signIn(choice);
  return browser;
}

/** The company on the dashboard, whether it is a page or JSON; `undefined` when there is none. */
export async function companyOf(browser: Browser): Promise<string | undefined> {
  const { text } = await browser.get('/dashboard');
  return [ATTACKER, VICTIM].find((name) => text.includes(name));
}

export function withCookiesOf(other: Browser, site: Site): Browser {
  const browser = site.browser();
  for (const [name, value] of other.cookies) browser.cookies.set(name, value);
  return browser;
}
