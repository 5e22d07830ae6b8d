import { makeFollowups } from './activity.js';
import { makeCreditors, makeDebtors, makeDebts } from './debts.js';
import { daysBefore, offsetTimestamp, opaqueId, zuluTimestamp } from './deterministic.js';
import type { CompanyData, DebtRecord, Debtor, Followup } from './types.js';

/** The company whose records break pages that do not escape, trim, wrap or check. */
export const edgeCases = {
  id: opaqueId('company:edge-cases'),
  name: 'Edge Cases GmbH',
  email: 'tests@edge-cases.example',
  about: 'for tests: hostile, extreme and broken records, each says what is wrong with it',
} as const;

const SCRIPT = '<script>alert("debt")</script>';
const IMAGE = '"><img src=x onerror=alert(1)>';
const VERY_LONG = 'von-und-zu-Oberhausen-Niederrhein'.repeat(3);

/**
 * What is wrong, as the `object` of the debt, and the fields that are; `undefined` leaves a field
 * out.
 */
const oddities: readonly (readonly [what: string, fields: Record<string, unknown>])[] = [
  ['HTML in the name', { firstname: SCRIPT, lastname: IMAGE, debtor_company: `${SCRIPT} & Sons` }],
  ['HTML in every other text', { status: SCRIPT, currency: IMAGE, city: SCRIPT, summary: IMAGE }],
  ['An Arabic name', { firstname: 'محمد', lastname: 'العربي', city: 'القاهرة' }],
  ['A Hebrew name with Latin and digits', { firstname: 'שרה', lastname: 'כהן (Ltd.) 12-34' }],
  ['A very long name', { firstname: 'Maximiliane-Alexandra', lastname: VERY_LONG }],
  ['A long word without a place to break', { lastname: 'x'.repeat(400), debtor_company: null }],
  ['A name of blanks', { firstname: '   ', lastname: ' \t', debtor_company: ' ' }],
  ['No name at all', { firstname: null, lastname: null, debtor_company: null }],
  [
    'Control characters',
    { firstname: 'Bell\u0007', lastname: '\u001b[31mRed\u001b[0m\r\nX: y\u0000' },
  ],
  ['Reversed by an override', { firstname: '\u202egpj.', lastname: 'exe\u202c\u2066\u200b' }],
  [
    'Accents upon accents',
    { firstname: `Z${'\u0301\u0323\u0334'.repeat(30)}algo`, lastname: '👩‍👩‍👧‍👦🏳️‍🌈' },
  ],
  ['Half of a surrogate pair', { firstname: '\ud800', lastname: 'Surrogate\udfff' }],
  [
    'A template in the name',
    { firstname: '{{7*7}} <%= 7*7 %>', lastname: "'; DROP TABLE debts;--" },
  ],
  ['A huge amount', { amount: 999_999_999_999_999.9, amount_text: '999999999999999.90' }],
  ['An amount beyond all numbers', { amount: 1e21, amount_text: '1000000000000000000000.00' }],
  ['A negative amount', { amount: -12.34, amount_text: '-12.34' }],
  ['An amount that is a text', { amount: '12,34', amount_text: null }],
  ['A currency without cents', { amount: 5000, amount_text: '5000', currency: 'JPY' }],
  ['A currency that is none', { currency: 'EURO' }],
  ['A day that does not exist', { due_date: '2024-02-30', invoice_date: '0000-00-00' }],
  ['A date in words', { due_date: 'tomorrow', invoice_date: '15/01/2024' }],
  ['Dates at the ends of time', { due_date: '9999-12-31', invoice_date: '0001-01-01' }],
  ['A status of 300 letters', { status: `status.custom.${'very_'.repeat(60)}long` }],
  ['A status that nobody documented', { status: 'Something Else' }],
  [
    'Links that are none',
    { payment_link: 'javascript:alert(1)', email: 'a@b?bcc=c@d', phone: 'ring me' },
  ],
  [
    'Numbers where texts belong',
    { firstname: 7, lastname: 1e21, status: 404, due_date: 20_240_115 },
  ],
  [
    'Objects where texts belong',
    { firstname: { first: 'A' }, lastname: ['B'], amount: {}, contacts: 'none' },
  ],
  ['Everything null', { ...nothing(), currency: null, status: null, amount: null }],
  ['Almost every field missing', { ...nothing(undefined), status: undefined, contacts: undefined }],
];

function nothing(value: null | undefined = null): Record<string, unknown> {
  const names = ['firstname', 'lastname', 'debtor_company', 'phone', 'email', 'amount_text'];
  const more = ['invoice_date', 'due_date', 'import_date', 'company', 'followups_count'];
  return Object.fromEntries([...names, ...more].map((name) => [name, value]));
}

const followupOddities: readonly Record<string, unknown>[] = [
  { summary: `${SCRIPT} ${IMAGE}`, notes: 'x'.repeat(3_000), status: SCRIPT, type: IMAGE },
  { summary: 'תזכורת נשלחה (email) 12-34', call_date: 'yesterday', duration_ms: 'long' },
  { summary: 42, notes: {}, status: null, type: null, call_date: null, duration_ms: -1 },
  { summary: `${'First line\n'.repeat(40)}last`, audio_url: 'javascript:alert(1)' },
];

export function makeEdgeCases(todayMs: number): CompanyData {
  const input = { companyId: edgeCases.id, count: oddities.length, todayMs };
  const creditors = makeCreditors({ ...input, count: 6 });
  const debtors = makeDebtors(input);
  const records = makeDebts({ ...input, debtors, creditors });
  // The last debt of a list is shown first.
  const debts = records.toReversed().map(oddDebt).toReversed();
  const followups = makeFollowups({ ...input, count: 8 }, records).map(oddFollowup);
  const { id, name, email } = edgeCases;
  return {
    profile: {
      id,
      name,
      email,
      phone: '+49 (0)221 / 12345678901234567890',
      created_at: offsetTimestamp(daysBefore(todayMs, 1, 'edge')),
    },
    credits: {
      current_credits: 9_007_199_254_740_991,
      subscription: { plan: VERY_LONG, status: SCRIPT, expires_at: '0000-00-00' },
    },
    users: [
      {
        id: opaqueId(`user:${id}:0`),
        email,
        firstname: SCRIPT,
        lastname: VERY_LONG,
        is_active: true,
        created_at: zuluTimestamp(daysBefore(todayMs, 1, 'user')),
        last_activity: null,
      },
    ],
    debts: new Map(debts.map((record) => [record.debt.id, record])),
    debtors: new Map(debtors.map((debtor, index) => [debtor.id, oddDebtor(debtor, index)])),
    creditors: new Map(creditors.map((creditor) => [creditor.id, creditor])),
    followups: new Map(followups.map((followup) => [followup.id, followup])),
    reports: new Map(),
  };
}

/** A believable debt but for one thing, which its `object` names. */
function oddDebt(record: DebtRecord, index: number): DebtRecord {
  const [what = '', fields = {}] = oddities[index] ?? [];
  return { ...record, debt: { ...record.debt, object: what, ...fields } };
}

function oddDebtor(debtor: Debtor, index: number): Debtor {
  const [, { firstname, lastname } = {}] = oddities.toReversed()[index] ?? [];
  const textOr = (value: unknown, otherwise: string) =>
    typeof value === 'string' ? value : otherwise;
  return {
    ...debtor,
    firstName: textOr(firstname, debtor.firstName),
    lastName: textOr(lastname, debtor.lastName),
  };
}

function oddFollowup(followup: Followup, index: number): Followup {
  return { ...followup, ...followupOddities[index] };
}
