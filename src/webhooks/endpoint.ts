import type { Inbox } from './inbox.js';

/** One URL of ours that GetBill calls. The secret says whose events come in, never the body. */
export interface Endpoint {
  readonly name: string;
  readonly companyId: string;
  readonly secrets: readonly string[];
  readonly inbox: Inbox;
  /** An entry has come in, or was put at the end once more. */
  wake(): void;
}

/** Why a webhook was not taken. */
export type Refusal =
  | 'method'
  | 'media_type'
  | 'too_large'
  | 'too_slow'
  | 'cut_off'
  | 'signature_absent'
  | 'signature_malformed'
  | 'signature_different'
  | 'not_an_event'
  | 'too_old'
  | 'not_stored';
