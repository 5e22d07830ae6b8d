import { randomBytes } from 'node:crypto';

/** What the code runs for now: it travels along in an AsyncLocalStorage. */
export interface Context {
  /** The browser, as its mark names it. */
  readonly flow: string;
  readonly requestId: string;
  readonly story: Story;
  /** While a renewal runs: what of it is recorded already. */
  readonly renewal?: { hasCalled: boolean; hasExplained: boolean; hasAskedForLease: boolean };
}

export interface Story {
  readonly chain: string;
  /** What starts after the response to the browser is a story of its own, with this `chain`. */
  readonly chainAfterwards: string;
  isAnswered: boolean;
}

const newChain = (): string => randomBytes(6).toString('base64url');

export const newStory = (chain = newChain()): Story => ({
  chain,
  chainAfterwards: newChain(),
  isAnswered: false,
});

export const chainOf = ({ story }: Context): string =>
  story.isAnswered ? story.chainAfterwards : story.chain;
