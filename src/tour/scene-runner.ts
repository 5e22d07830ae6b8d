import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { createCookies } from '../web/session/cookies.js';
import { difference, holds, type Check, type Counts } from './counts.js';
import type { Play, SceneContext } from './play.js';
import {
  expiredToken,
  firstSignIn,
  lostResponse,
  replayedCallback,
  revokedGrants,
  tenTabs,
  usedLimit,
} from './plays.js';
import { judged, type Result, type ResultStore } from './results.js';
import { SandboxMissingError, type Sandbox, type Settings } from './sandbox.js';
import type { SceneId } from './scenes.js';
import { checksAfterSignIn } from './checks-after-sign-in.js';
import { openTab } from './tab.js';

const plays: Readonly<Record<SceneId, Play>> = {
  'sign-in': firstSignIn,
  expired: expiredToken,
  tabs: tenTabs,
  lost: lostResponse,
  revoked: revokedGrants,
  limit: usedLimit,
  replay: replayedCallback,
};

/** How the sandbox is while a scene is played, whatever was tried on its page before. */
const QUIET: Settings = {
  token: [],
  api: [],
  revokeFault: [],
  refreshToken: 'rotate',
  accessTokenLifetimeS: 3600,
  limitReads: 1_000_000, // so that no number of plays uses up the share of a company
  limitWindowS: 3600,
};

export interface SceneRunner {
  /** Plays a scene, up to the sign-in where it needs one. */
  play(scene: SceneId, req: Request): Promise<Result>;
  /** A person is back from the sign-in of a scene. */
  finish(scene: SceneId, waiting: Result): Promise<Result>;
}

/** Plays the scenes for the visitor, by requests to our own address; the sandbox counts. */
export function createSceneRunner({
  sandbox,
  results,
  publicUrl,
  flowCookie,
  now,
}: {
  sandbox: Sandbox;
  results: Pick<ResultStore, 'takeTurn'>;
  publicUrl: URL;
  flowCookie: string;
  now: () => number;
}): SceneRunner {
  const { session, login } = createCookies({ publicUrl });

  function contextFor(req: Request, before: Counts): SceneContext {
    const { cookie = '' } = req.headers;
    const withoutSession = cookie
      .split(/;\s*/)
      .filter((pair) => ![session, login].includes(pair.split('=')[0] ?? ''));
    return {
      sandbox,
      visitor: openTab(publicUrl, cookie),
      signedOutTab: openTab(publicUrl, withoutSession.join('; ')),
      stranger: openTab(publicUrl),
      flowCookie,
      publicUrl,
      counted: async () => difference(before, await sandbox.counts()),
      now,
    };
  }

  /** Puts the old settings of the sandbox back when `work` has ended. */
  async function withSettings<Done>(wanted: Settings, work: () => Promise<Done>): Promise<Done> {
    const current = await sandbox.settings();
    const changes = Object.entries({ ...QUIET, ...wanted }).filter(
      ([name, value]) => JSON.stringify(current[name]) !== JSON.stringify(value),
    );
    const names = changes.map(([name]) => name);
    if (names.length > 0) await sandbox.change(Object.fromEntries(changes));
    try {
      return await work();
    } finally {
      const old = Object.fromEntries(names.map((name) => [name, current[name]]));
      if (names.length > 0) await sandbox.change(old);
    }
  }

  async function playScene(scene: SceneId, req: Request): Promise<Result> {
    const { settings = {}, play, note, startsSignIn = false } = plays[scene];
    return await withSettings(settings, async () => {
      const before = await sandbox.counts();
      const startedMs = now();
      const context = contextFor(req, before);
      const checks = (await play?.(context)) ?? [];
      if (checksAfterSignIn[scene] !== undefined && checks.every(holds))
        return waitingFor(req, { before, checks, startsSignIn });
      return judged(checks, await note?.(context.visitor, { sinceMs: startedMs }));
    });
  }

  function waitingFor(
    req: Request,
    scene: { before: Counts; checks: readonly Check[]; startsSignIn: boolean },
  ): Result {
    const { before, checks, startsSignIn } = scene;
    const place = randomBytes(9).toString('base64url');
    const back = `/tour?back=${place}`;
    const again = req.signedIn === undefined ? '' : 'again=1&';
    const goTo = startsSignIn ? `/login?${again}returnTo=${encodeURIComponent(back)}` : back;
    return { state: 'waiting', checks: [...checks], goTo, place, before };
  }

  /** `stopped` where the scene cannot be played now. */
  async function resultOf(work: () => Promise<Result | undefined>): Promise<Result> {
    try {
      const result = await work();
      return result ?? { state: 'stopped', reason: 'Another scene is being played. Try again.' };
    } catch (error) {
      if (error instanceof SandboxMissingError) return { state: 'stopped', reason: error.message };
      throw error;
    }
  }

  return {
    play: (scene, req) => resultOf(() => results.takeTurn(() => playScene(scene, req))),
    finish: (scene, waiting) =>
      resultOf(async () => {
        if (waiting.state !== 'waiting') return waiting;
        const counted = difference(waiting.before, await sandbox.counts());
        return judged([...waiting.checks, ...(checksAfterSignIn[scene]?.(counted) ?? [])]);
      }),
  };
}
