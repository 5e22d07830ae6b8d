import type { Step } from '../../../src/flow-inspector/step.js';
import { startTestApp, type TestApp, type TestAppOptions } from '../../support/test-app.js';
import type { Browser } from '../../support/browser.js';
import { faultsIn } from './check-steps.js';

export const startWatchedApp = ({ env = {}, ...options }: TestAppOptions = {}): Promise<TestApp> =>
  startTestApp({ env: { FLOW_INSPECTOR: 'true', ...env }, ...options });

/** The steps of this browser so far, in which nothing is out of order. */
export async function stepsOf(browser: Browser, { after = 0 } = {}): Promise<Step[]> {
  const { steps } = (await browser.get(`/flow/steps?after=${after}`)).json as { steps: Step[] };
  expect(faultsIn(steps)).toEqual([]);
  return steps;
}

/** "app > getbill Refresh request", to compare with. */
export const linesOf = (steps: readonly Step[]): string[] =>
  steps.map(({ kind, from, to, title }) =>
    kind === 'note'
      ? `note ${title}`
      : `${from} ${kind === 'request' ? '->' : '-->'} ${to} ${title}`,
  );
