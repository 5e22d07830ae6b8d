import type { BrowserContext } from 'playwright-core';
import type { Step } from '../../../src/flow-inspector/step.js';
import type { TestApp } from '../../support/test-app.js';
import { faultsIn } from './check-steps.js';

/** Nothing is out of order in the steps of a real browser. */
export async function expectOrder(context: BrowserContext, app: TestApp): Promise<void> {
  const response = await context.request.get(`${app.publicUrl}/flow/steps`);
  const { steps } = (await response.json()) as { steps: Step[] };
  expect(faultsIn(steps)).toEqual([]);
}
