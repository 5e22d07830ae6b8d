import { explanationOf, oauthErrorCodes } from '../../oauth-explanations.js';
import { errorFacts, errorGroups, type ErrorGroup } from '../../error-facts.js';
import { errorText } from './error-texts.js';
import { guideEntryOf, type GuideEntry } from './guide-troubleshooting.js';
import { capitalised } from './words.js';

/**
 * All that is said about an error code: on a page under `/errors`, and in a document in
 * docs/errors.
 */
export interface ErrorEntry {
  readonly code: string;
  readonly group: ErrorGroup;
  /** `undefined`: another one at each endpoint of GetBill. */
  readonly status: number | undefined;
  /** For the visitor. */
  readonly title: string;
  readonly why: string;
  readonly advice: string;
  /** For the developer and the operator. */
  readonly cause: string;
  readonly fix: string;
  /** The entry in GetBill's own guide. */
  readonly guide: GuideEntry | undefined;
}

const sentence = (text: string): string => `${capitalised(text)}.`;

type Facts = Pick<ErrorEntry, 'status' | 'cause' | 'fix'>;

function entryOf(code: string, group: ErrorGroup, { status, cause, fix }: Facts): ErrorEntry {
  const { title, why, advice } = errorText(code, status);
  const guide = guideEntryOf(code);
  return {
    code,
    group,
    status,
    title,
    why,
    advice,
    cause: sentence(cause),
    fix: sentence(fix),
    guide,
  };
}

const OAUTH: ErrorGroup = 'OAuth errors of GetBill';
const oauthEntries = oauthErrorCodes.map((code) => {
  const { cause = '', fix = '' } = explanationOf(code) ?? {};
  return entryOf(code, OAUTH, { status: undefined, cause, fix });
});

/** In the order of the groups. */
export const errorCatalogue: readonly ErrorEntry[] = errorGroups.flatMap((group) => [
  ...(group === OAUTH ? oauthEntries : []),
  ...Object.entries(errorFacts[group]).map(([code, [status, cause, fix]]) =>
    entryOf(code, group, { status, cause, fix }),
  ),
]);

const byCode = new Map(errorCatalogue.map((entry) => [entry.code, entry]));

/** `authorization_invalid_scope` is `invalid_scope`, met at another endpoint. */
export const findError = (code: string): ErrorEntry | undefined =>
  byCode.get(code) ?? byCode.get(code.replace(/^authorization_/, ''));

/** The page of a code; `undefined` for one that has none. */
export function errorHref(code: string): string | undefined {
  const entry = findError(code);
  return entry && `/errors/${entry.code}`;
}
