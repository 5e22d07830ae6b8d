/// <reference types="jest" />
import { inputFaults } from '../../src/getbill/check-input.js';

const debt = {
  firstname: 'Ada',
  lastname: 'Lovelace',
  amount: 12.5,
  currency: 'EUR',
  email: 'ada@example.com',
};

describe('the body of a write', () => {
  it.each<[string, Parameters<typeof inputFaults>[0], unknown]>([
    ['a debt with what is required', 'newDebt', debt],
    ['a phone in place of an email', 'newDebt', { ...debt, email: undefined, phone: '06 12 34 56 78' }],
    ['the longest phone number, with what people write in one', 'newDebt', { ...debt, phone: '+123 (45) 678-901.234 5' }],
    ['an address of another alphabet', 'newDebt', { ...debt, email: 'jörg@exämple.de' }],
    ['a valid IBAN, with spaces', 'newDebt', { ...debt, iban: 'FR14 2004 1010 0505 0001 3M02 606' }],
    ['a valid IBAN in small letters', 'newDebt', { ...debt, iban: 'fr1420041010050500013m02606' }],
    ['a start mode of a timeline', 'newDebt', { ...debt, timeline_id: 't', timeline_start_mode: 'next_day' }],
    ['metadata of any shape', 'newDebt', { ...debt, metadata: { a: [1, { b: null }] } }],
    ['a change of one field', 'debtChange', { status: 'status.default.paid' }],
    ['a time where GetBill takes ISO 8601', 'debtChange', { due_date: '2026-01-15T10:30:00+00:00' }],
    ['a time without a zone', 'followupChange', { scheduled_at: '2026-01-15T10:30:00' }],
    ['a day where GetBill takes either', 'debtChange', { due_date: '2026-01-15' }],
    ['a batch whose debts have no temp_id', 'newDebts', { debts: [debt] }],
    ['a field that is emptied', 'debtorChange', { phone: null }],
    ['a country by its name, at a creditor', 'creditorChange', { country: 'France' }],
    ['a follow-up of a debt', 'newFollowup', { debt_id: 'd', type: 'manual_call', duration_ms: 0 }],
  ])('may be %s', (_what, rule, body) => {
    expect(inputFaults(rule, body)).toEqual({});
  }); // prettier-ignore

  it.each<[string, Parameters<typeof inputFaults>[0], unknown, Record<string, unknown>]>([
    ['nothing', 'newDebt', {}, { firstname: ['is required'], lastname: ['is required'], amount: ['is required'], currency: ['is required'], phone: ['a phone or an email is needed'] }],
    ['no object', 'newDebt', null, { '': ['must be of type object'] }],
    ['a list', 'debtChange', [], { '': ['must be of type object'] }],
    ['a blank name', 'newDebt', { ...debt, firstname: ' ' }, { firstname: ['must not be empty'] }],
    ['null for phone and email', 'newDebt', { ...debt, phone: null, email: null }, { phone: ['a phone or an email is needed'] }],
    ['a phone number with a letter', 'newDebt', { ...debt, phone: '06 12 34 56 7O' }, { phone: ['number format is not valid'] }],
    ['a phone number of sixteen digits', 'newDebt', { ...debt, phone: '+1234567890123456' }, { phone: ['phone number too long'] }],
    ['a civility that GetBill does not know', 'newDebt', { ...debt, civility: 'Mrs' }, { civility: ['must be one of: Mr, Ms'] }],
    ['a country in small letters', 'newDebt', { ...debt, country: 'fr' }, { country: [expect.stringContaining('ISO 3166-1')] }],
    ['an amount of nothing', 'newDebt', { ...debt, amount: 0 }, { amount: ['must be greater than 0'] }],
    ['an amount as text', 'newDebt', { ...debt, amount: '12' }, { amount: ['must be of type number'] }],
    ['a currency by its sign', 'newDebt', { ...debt, currency: '€' }, { currency: [expect.stringContaining('ISO 4217')] }],
    ['a date of another country', 'newDebt', { ...debt, due_date: '15/01/2026' }, { due_date: ['must be a date as YYYY-MM-DD'] }],
    ['a day that is none', 'newDebt', { ...debt, due_date: '2026-02-30' }, { due_date: ['must be a date as YYYY-MM-DD'] }],
    ['an IBAN with two digits swapped', 'newDebt', { ...debt, iban: 'FR1420041010050500031M02606' }, { iban: ['is not a valid IBAN'] }],
    ['a start mode without a timeline', 'newDebt', { ...debt, timeline_start_mode: 'next_day' }, { timeline_start_mode: [expect.stringContaining('timeline_id')] }],
    ['a status at creation', 'newDebt', { ...debt, status: 'status.default.paid' }, { status: ['GetBill documents no such field'] }],
    ['a status that only GetBill sets', 'debtChange', { status: 'status.default.pending' }, { status: [expect.stringMatching(/paid, .*in_progress, .*on_hold, .*failed, .*archived$/)] }],
    ['a debtor in snake_case', 'debtorChange', { first_name: 'Ada' }, { first_name: ['GetBill documents no such field'] }],
    ['a debt for a follow-up that has one', 'followupChange', { debt_id: 'd' }, { debt_id: ['GetBill documents no such field'] }],
    ['a follow-up without its debt', 'newFollowup', { type: 'call' }, { debt_id: ['is required'] }],
    ['a follow-up of a blank debt', 'newFollowup', { debt_id: ' ' }, { debt_id: ['must not be empty'] }],
    ['half a millisecond', 'followupChange', { duration_ms: 0.5 }, { duration_ms: ['must be of type int'] }],
    ['a third direction', 'followupChange', { direction: 'sideways' }, { direction: ['must be one of: inbound, outbound'] }],
    ['a flag as text', 'followupChange', { is_retry: 'yes' }, { is_retry: ['must be of type boolean'] }],
    ['a birthday of another country', 'debtorChange', { dateOfBirth: '15/01/1990' }, { dateOfBirth: ['must be a date as YYYY-MM-DD'] }],
    ['a time that is none', 'followupChange', { scheduled_at: 'tomorrow' }, { scheduled_at: [expect.stringContaining('ISO 8601')] }],
    ['a change of nothing', 'creditorChange', {}, { '': ['there is nothing to change in it'] }],
    ['the third debt of a batch', 'newDebts', { debts: [debt, debt, { ...debt, amount: -1 }] }, { 'debts.2.amount': ['must be greater than 0'] }],
    ['a batch of nothing', 'newDebts', { batch_name: ' ', debts: [] }, { batch_name: ['must not be empty'], debts: ['there is no debt in it'] }],
    ['a batch that is too long', 'newDebts', { debts: Array(1001).fill(debt) }, { debts: ['GetBill takes at most 1000 debts at once'] }],
  ])('may not be %s', (_what, rule, body, faults) => {
    expect(inputFaults(rule, body)).toEqual(faults);
  }); // prettier-ignore
});
