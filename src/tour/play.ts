import type { Check, Counts } from './counts.js';
import type { Note } from './leader.js';
import type { Sandbox, Settings } from './sandbox.js';
import type { Tab } from './tab.js';

/** The browsers and the sandbox with which a scene is played. */
export interface SceneContext {
  readonly sandbox: Sandbox;
  /** The visitor's browser: its cookies, its session. */
  readonly visitor: Tab;
  /** A tab of the same browser without its session. */
  readonly signedOutTab: Tab;
  /** A browser without any cookie. */
  readonly stranger: Tab;
  /** The cookie that makes a request part of the visitor's flow. */
  readonly flowCookie: string;
  readonly publicUrl: URL;
  /** The sandbox's counters since the scene began. */
  readonly counted: () => Promise<Counts>;
  readonly now: () => number;
}

/** A scene, to its end or to a sign-in by a person; `checksAfterSignIn` judges what comes then. */
export interface Play {
  /** Settings of the sandbox that the scene needs; they are put back after it. */
  readonly settings?: Settings;
  readonly play?: (context: SceneContext) => Promise<readonly Check[]>;
  /** What else there is to say when it is over. */
  readonly note?: (visitor: Tab, played: { sinceMs: number }) => Promise<Note | undefined>;
  /** The person is sent to the sign-in, instead of to a page that asks for it. */
  readonly startsSignIn?: true;
}
