import { randomBytes } from 'node:crypto';

/** Where in which story the code runs now. */
export interface Place {
  readonly flow: string;
  readonly requestId: string;
  readonly story: Story;
  /** While a renewal runs. */
  readonly renewal?: { asked: boolean; explained: boolean; leaseAsked: boolean };
}

export interface Story {
  readonly chain: string;
  /** The browser has its response: what starts now is told apart, in `afterwards`. */
  closed: boolean;
  afterwards?: string;
}

const newChain = (): string => randomBytes(6).toString('base64url');
export const newStory = (chain = newChain()): Story => ({ chain, closed: false });
export const afterwardsOf = (story: Story): string => (story.afterwards ??= newChain());
export const chainOf = ({ story }: Place): string =>
  story.closed ? afterwardsOf(story) : story.chain;
