import type { Page } from 'playwright-core';
import { companyProfiles } from '../../sandbox/api/data/companies.js';
import { startPages, type Pages } from './support/pages.js';
import { sendWebhook } from '../webhooks/support/send-webhook.js';

const webhooks = {
  GETBILL_WEBHOOK_SECRET: 'the-webhook-secret-of-this-test',
  GETBILL_WEBHOOK_COMPANY: companyProfiles[0].id,
};
let pages: Pages;
beforeAll(async () => {
  pages = await startPages({ env: webhooks });
}, 60_000);
afterAll(() => pages.close());

/** What a mouse can use, in the order of the page. */
const REACHABLE = `[...document.querySelectorAll('a[href], button, summary, select, textarea, input:not([type=hidden]), [tabindex="0"]')]
  .filter((one) => one.checkVisibility() && one.getAttribute('tabindex') !== '-1')`;
/** The one that has the focus: its place in that list, and whether a person sees that it has. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const outlined = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && !/, 0\\)|transparent/.test(outlineColor);
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { index: ${REACHABLE}.indexOf(one), visible: (outlined || boxShadow !== 'none') && inside };
})()`;
const TOO_WIDE = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
/** Whatever moves, and for how long. */
const MOVING = `[...document.querySelectorAll('*')].filter((one) => {
  const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(one);
  return parseFloat(transitionDuration) > 0 || animationName !== 'none' || scrollBehavior === 'smooth';
}).length`;

async function everyPage(page: Page, look: (path: string) => Promise<void>): Promise<void> {
  const paths = ['/', '/no-such-page'];
  for (const path of paths) {
    await page.goto(path);
    await look(`${path} before sign-in`);
  }
  await sendWebhook(pages.app.origin, {
    secret: webhooks.GETBILL_WEBHOOK_SECRET,
    event: { type: 'debt.updated', data: { id: 'd1' } },
  });
  for (const path of [...(await pages.signIn(page)), '/events']) {
    await page.goto(path);
    await look(path);
  }
}

/** Presses Tab until the focus is on the element with this name. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const text = String(await page.evaluate('document.activeElement.textContent')).trim();
    if (typeof name === 'string' ? text === name : name.test(text)) return;
  }
  throw new Error(`not reached with Tab: ${String(name)}`);
}

describe('somebody without a mouse', () => {
  it('reaches everything with Tab, in order, and always sees where the focus is', async () => {
    const page = await pages.open();
    let reached = 0;
    await everyPage(page, async (path) => {
      const count = Number(await page.evaluate(`${REACHABLE}.length`));
      const found: unknown[] = [];
      for (let index = 0; index < count; index += 1) {
        await page.keyboard.press('Tab');
        found.push([path, await page.evaluate(FOCUSED)]);
      }
      expect(found).toEqual(
        Array.from({ length: count }, (_, index) => [path, { index, visible: true }]),
      );
      reached += count;
    });
    console.log(`${reached} focus stops`);
    expect(reached).toBeGreaterThan(60);
  });

  it('signs in, reads, filters, inspects and signs out with Tab, Enter and Space', async () => {
    const page = await pages.open();
    await page.goto('/');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter'); // "Skip to the content"
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
    await tabTo(page, 'Sign in with GetBill');
    await page.keyboard.press('Enter');
    await page.waitForURL('/dashboard');

    await tabTo(page, 'Debts');
    await page.keyboard.press('Enter');
    await page.waitForURL('/debts');
    await tabTo(page, 'Status: All');
    await page.keyboard.press('Space');
    await tabTo(page, /^Paid/); // with their number, once it is known
    await page.keyboard.press('Enter');
    await page.waitForURL('/debts?status=status.default.paid');

    await tabTo(page, 'Flow');
    await page.keyboard.press('Enter');
    await page.waitForURL('/flow');
    await tabTo(page, /^Sign-in/); // its story; the newest is open already
    await page.keyboard.press('Enter');
    await page.locator('summary', { hasText: 'Authorization request' }).waitFor();
    await tabTo(page, /Authorization request/);
    for (const [key, open] of [['Enter', true], ['Space', false], ['Space', true]] as const) {
      await page.keyboard.press(key);
      expect([key, await page.evaluate('document.activeElement.parentElement.open')]).toEqual([key, open]);
    } // prettier-ignore

    await page.goto('/flow');
    await tabTo(page, 'Sign out');
    await page.keyboard.press('Space');
    await page.waitForURL('/');
    expect(await page.locator('[role=status]').innerText()).toMatch(/signed out here/);
  });
});

/** Controls, and links that stand by themselves; a link in a sentence is as high as its line. */
const TOO_SMALL = `[...document.querySelectorAll('button, summary, .button, input:not([type=hidden]), header.site a, nav:not(.kicker) a, .legend a')]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
  .map((one) => one.textContent.trim().slice(0, 40) + ' ' + one.getBoundingClientRect().height)`;

describe('somebody with a finger', () => {
  it('finds every control high enough to be hit', async () => {
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
    const page = await pages.open(phone);
    await everyPage(page, async (path) => {
      const open = 'document.querySelectorAll("details").forEach((one) => (one.open = true))';
      await page.evaluate(open);
      expect([path, await page.evaluate(TOO_SMALL)]).toEqual([path, []]);
    });
  });
});

describe('somebody without scripts', () => {
  it('sees nothing that needs one', async () => {
    const page = await pages.open({ javaScriptEnabled: false });
    const hidden = `[...document.querySelectorAll('[hidden]')].map((one) => one.checkVisibility())`;
    const seen: unknown[] = [];
    await everyPage(page, async (path) => {
      const here = await page.evaluate<boolean[]>(hidden);
      expect([path, here]).toEqual([path, here.map(() => false)]);
      seen.push(...here);
    });
    expect(seen.length).toBeGreaterThan(3); // the buttons that copy
  });
});

describe('somebody who asked for less motion', () => {
  it('sees nothing move', async () => {
    const moving = async (reducedMotion: 'reduce' | 'no-preference'): Promise<number> => {
      const page = await pages.open({ reducedMotion });
      let count = 0;
      await everyPage(page, async () => {
        count += Number(await page.evaluate(MOVING));
      });
      return count;
    };
    expect(await moving('reduce')).toBe(0);
    expect(await moving('no-preference')).toBeGreaterThan(0);
  });
});

describe('somebody who zooms to 400 %', () => {
  it('reads every page without scrolling sideways', async () => {
    const page = await pages.open({ viewport: { width: 320, height: 256 } });
    await everyPage(page, async (path) => {
      expect([path, await page.evaluate(TOO_WIDE)]).toEqual([path, 0]);
      await page.evaluate(
        'document.querySelectorAll("details").forEach((one) => (one.open = true))',
      );
      expect([`${path}, all opened`, await page.evaluate(TOO_WIDE)]).toEqual([
        `${path}, all opened`,
        0,
      ]);
    });
  });
});

/** Text of which a line holds hardly more than a letter. */
const SQUEEZED = `[...document.querySelectorAll('main :not(.unseen, svg *)')]
  .filter((one) => one.childElementCount === 0 && one.textContent.trim().length > 6 && one.checkVisibility())
  .filter((one) => one.getBoundingClientRect().width < 2 * parseFloat(getComputedStyle(one).fontSize))
  .map((one) => one.textContent.trim())`;

describe('somebody with a small phone and letters of twice the size', () => {
  it('reads words, and does not scroll sideways', async () => {
    const page = await pages.open({ viewport: { width: 360, height: 740 } });
    await everyPage(page, async (path) => {
      await page.evaluate('document.documentElement.style.fontSize = "200%"');
      expect([path, await page.evaluate(TOO_WIDE)]).toEqual([path, 0]);
      expect([path, await page.evaluate(SQUEEZED)]).toEqual([path, []]);
    });
  });
});
