import { followupAt, followupAtMs } from '../../getbill/followup-values.js';
import type { Page } from '../../getbill/types.js';
import { fieldOf, isTrue, numberOf, textOf } from '../../getbill/values.js';
import type { DateText, Formats } from './formats.js';
import type { Reader } from './reader.js';
import { capitalised, timesText } from './words.js';

export interface FollowupView {
  readonly at: DateText | undefined;
  readonly title: string;
  readonly status: string | undefined;
  readonly texts: readonly string[];
  readonly details: string;
}

export interface FollowupList {
  /** Newest first. */
  readonly items: readonly FollowupView[];
  readonly unreadable: number;
  /** For "8 follow-ups, the last on 22 May 2026: Email, delivered" */
  readonly summary: FollowupSummary | undefined;
  /** "Showing 20 of 31." */
  readonly more: string | undefined;
}

interface FollowupSummary {
  readonly count: string;
  readonly at: DateText | undefined;
  readonly title: string;
}

/** `debt`: says how many there are in all. */
export function followupList(
  { items, unreadable = 0 }: Page<unknown>,
  debt: unknown,
  reader: Reader,
): FollowupList {
  const { count } = reader.formats;
  const total = Math.max(items.length, numberOf(fieldOf(debt, 'followups_count')) ?? 0);
  const newestFirst = items.toSorted((a, b) => followupAtMs(b) - followupAtMs(a));
  return {
    items: newestFirst.map((followup) => followupView(followup, reader)),
    unreadable,
    summary: summaryOf(newestFirst, total, reader),
    more: total > items.length ? `Showing ${count(items.length)} of ${count(total)}.` : undefined,
  };
}

/** The last one that has happened; follow-ups that are planned come before it in the list. */
function summaryOf(
  newestFirst: readonly unknown[],
  total: number,
  { formats, nowMs }: Reader,
): FollowupSummary | undefined {
  const last = newestFirst.find((followup) => followupAtMs(followup) <= nowMs) ?? newestFirst[0];
  if (last === undefined) return undefined;
  return {
    count: total === 1 ? '1 follow-up' : `${formats.count(total)} follow-ups`,
    at: formats.dayOfTime(followupAt(last)),
    title: followupTitle(last),
  };
}

export function followupView(followup: unknown, { formats }: Reader): FollowupView {
  const field = (name: string): unknown => fieldOf(followup, name);
  const at = followupAt(followup);
  const details = [
    words(field('direction')),
    durationText(field('duration_ms')),
    isTrue(field('is_retry')) ? 'Another try' : undefined,
    clicksText('Opened', field('email_open_count'), formats),
    clicksText('Clicked', field('email_click_count'), formats),
    isTrue(field('triggered_payment')) ? 'Led to a payment' : undefined,
  ];
  return {
    at: formats.dateTime(at),
    title: words(field('type')) ?? 'Follow-up',
    status: words(field('status')),
    texts: [textOf(field('summary')), textOf(field('notes'))].filter((text) => text !== undefined),
    details: details.filter((text) => text !== undefined).join(' · '),
  };
}

/** "Email, delivered" */
export function followupTitle(followup: unknown): string {
  const type = words(fieldOf(followup, 'type')) ?? 'Follow-up';
  const status = words(fieldOf(followup, 'status'));
  return status === undefined ? type : `${type}, ${status.toLowerCase()}`;
}

const SPELLED = new Map([
  ['sms', 'SMS'],
  ['whatsapp', 'WhatsApp'],
  ['physical', 'Visit'],
  ['postmail', 'Letter'],
  ['manual call', 'Call by a person'],
  ['deal found', 'Agreement reached'],
  ['deal not found', 'No agreement'],
  ['bad behavior', 'Bad behaviour'],
]);

/** "no_answer" reads "No answer". */
function words(value: unknown): string | undefined {
  const text = textOf(value)?.replaceAll('_', ' ');
  return text && (SPELLED.get(text) ?? capitalised(text));
}

function durationText(ms: unknown): string | undefined {
  const seconds = Math.round((numberOf(ms) ?? 0) / 1000);
  if (seconds <= 0) return undefined;
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function clicksText(verb: string, value: unknown, formats: Formats): string | undefined {
  const count = numberOf(value) ?? 0;
  return count > 0 ? `${verb} ${timesText(count, formats)}` : undefined;
}
