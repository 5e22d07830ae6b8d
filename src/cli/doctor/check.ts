import type { Cluster, Redis } from 'ioredis';
import type { Config } from '../../config/config.js';
import type { TokenEndpoint } from '../../core/oauth/token-endpoint.js';
import type { Ask, AskOptions, HttpResponse } from './ask.js';

/** `warn`: works, but will fail later or is not visible here. Only `fail` sets the exit code. */
export type Verdict = 'pass' | 'warn' | 'fail';

export interface Result {
  readonly verdict: Verdict;
  /** The observation. Never a secret, a token or an address with a password. */
  readonly detail?: string;
  readonly cause?: string;
  readonly fix?: string;
}

export interface Finding extends Result {
  readonly name: string;
}

export interface Check {
  readonly name: string;
  /**
   * Left out when this earlier check failed or was left out itself: one cause, one line. One that
   * does not apply stops nothing, so the last of a chain stands for all of it.
   */
  readonly needs?: string;
  /** Without this setting the check does not apply, and is not named as left out either. */
  readonly setting?: 'issuer' | 'revokeUrl';
  /** `undefined`: does not apply here. */
  examine(context: CheckContext): Promise<Result | undefined>;
}

/** The app as it runs somewhere, behind its real proxy. */
export interface Deployment {
  readonly url: URL;
  /** Sends a request as a browser would. */
  readonly visit: (path: string, options?: AskOptions) => Promise<HttpResponse>;
}

/** The parts to look at, each built as in production. What several checks ask is asked once. */
export interface CheckContext {
  readonly config: Config;
  readonly deployment: Deployment | undefined;
  readonly redis: Redis | Cluster | undefined;
  /** Sends a request to GetBill, with its pins and private CA. */
  readonly ask: Ask;
  readonly tokenEndpoint: TokenEndpoint;
  /** How often a later client secret had to be tried. */
  readonly secretFallbacks: () => number;
  readonly now: () => number;
  readonly monotonicMs: () => number;
  readonly redisInfo: () => Promise<Readonly<Record<string, string>>>;
  /** The token endpoint's response to a request without any client. */
  readonly tokenResponse: () => Promise<HttpResponse>;
  /** The outcome of our authorization request, with nobody signing in. */
  readonly authorization: () => Promise<AuthorizationOutcome>;
}

/**
 * The outcome of an authorization request before anybody signs in: `sent_on` to a sign-in page;
 * `proven` when a redirect URI made up for comparison is not; `responded` at our redirect URI (RFC
 * 6749 section 4.1.2.1), so that one is accepted; `refused` with an error page (`code` as far as it
 * names one); `none`: no response, or one of an overloaded server.
 */
export type AuthorizationOutcome =
  | { readonly kind: 'sent_on'; readonly proven: boolean }
  | { readonly kind: 'responded'; readonly error: string | undefined }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string | undefined }
  | { readonly kind: 'none'; readonly error: unknown };

export const pass = (detail: string): Result => ({ verdict: 'pass', detail });
export const warn = (cause: string, fix: string): Result => ({ verdict: 'warn', cause, fix });
export const fail = (cause: string, fix: string): Result => ({ verdict: 'fail', cause, fix });

/** Where the operator of the app manages its client. */
export const DASHBOARD = 'the GetBill dashboard (Company > API Client Management)';
