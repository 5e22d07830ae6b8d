import type { BrowserContext } from 'playwright-core';
import type { Step } from '../../../src/flow-inspector/step.js';
import type { TestApp } from '../../support/test-app.js';
import { faultsIn } from './check-steps.js';

/** Nothing is out of order in the steps of real browsers. */
export async function expectOrder(contexts: BrowserContext[], app: TestApp): Promise<void> {
  for (const context of contexts) {
    const response = await context.request.get(`${app.publicUrl}/flow/steps`);
    const { steps } = (await response.json()) as { steps: Step[] };
    expect(faultsIn(steps)).toEqual([]);
  }
}
