import { opaqueId } from '../../sandbox/api/data/deterministic.js';
import { dataOf, listOf, lumiere, signedIn } from './helpers.js';

const firstDebt = opaqueId('debt:hTBN7n6lkmkhMb6LYqEBZw:0');
const newDebt = {
  firstname: 'Ada',
  lastname: 'Lovelace',
  amount: 12.5,
  currency: 'EUR',
  phone: '0612345678',
};

describe('debts', () => {
  it('have every documented field, also where there is no value', async () => {
    const { get } = await signedIn();
    const debt = dataOf((await get(`/debts/${firstDebt}`)).json);
    expect(Object.keys(debt)).toHaveLength(37);
    expect(debt).toMatchObject({
      id: firstDebt,
      amount_text: (debt['amount'] as number).toFixed(2),
      contacts: [],
    });
  });

  it('are listed by debtor and by creditor', async () => {
    const { get } = await signedIn();
    const debtor = listOf((await get('/debtors?limit=1')).json)[0];
    const creditor = listOf((await get('/creditors?limit=1')).json)[0];
    const byDebtor = listOf((await get(`/debts/by-debtor/${String(debtor?.['id'])}`)).json);
    expect(byDebtor.map((debt) => debt['lastname'])).toEqual(
      byDebtor.map(() => debtor?.['lastName']),
    );
    const byCreditor = listOf((await get(`/debts/by-creditor/${String(creditor?.['id'])}`)).json);
    expect(byCreditor.map((debt) => debt['company'])).toEqual(
      byCreditor.map(() => creditor?.['name']),
    );
    expect([byDebtor.length, byCreditor.length]).toEqual([3, 20]);
  });

  it('can be created, changed and deleted', async () => {
    const { get, change } = await signedIn();
    const created = await change('POST', '/debts', {
      ...newDebt,
      metadata: { a: 1 },
      status: 'status.default.paid',
    });
    expect([created.status, created.json['message']]).toEqual([201, 'Debt created successfully']);
    expect(dataOf(created.json)).toMatchObject({
      phone: '+33612345678',
      amount_text: '12.50',
      status: 'status.default.pending',
      nb_reminders: 0,
      followups_count: 0,
      metadata: { a: 1 },
    });
    const path = `/debts/${String(dataOf(created.json)['id'])}`;
    const changed = await change('PUT', path, {
      status: 'status.default.on_hold',
      lastname: 'King',
    });
    expect(changed.json).toMatchObject({ message: 'Debt updated successfully' });
    expect(dataOf((await get(path)).json)).toMatchObject({
      firstname: 'Ada',
      lastname: 'King',
      status: 'status.default.on_hold',
    });
    const deleted = await change('DELETE', path, undefined);
    expect(deleted.json).toEqual({ error: false, message: 'Debt deleted successfully' });
    expect((await get(path)).status).toBe(404);
  });

  it('are created with 200 on demand', async () => {
    const { change } = await signedIn({ faults: { createStatus: 200 } });
    expect((await change('POST', '/debts', newDebt)).status).toBe(200);
  });

  it('are refused with the fields that are wrong', async () => {
    const { change } = await signedIn();
    const { status, json } = await change('POST', '/debts', { lastname: 'X', currency: 'EUR' });
    expect(status).toBe(400);
    expect(json).toEqual({
      error: true,
      message: 'Validation failed',
      code: 400,
      details: {
        firstname: ['First name is required'],
        amount: ['Valid amount is required'],
        phone: ['Phone number is required'],
      },
    });
  });

  it.each([
    ['civility', 'Dr', 'Ms'],
    ['iban', 'FR7630006000011234567890188', 'FR76 3000 6000 0112 3456 7890 189'],
    ['country', 'France', 'FR'],
    ['due_date', '2024-02-30', '2024-02-29'],
    ['birthdate', '2024-01-15T10:30:00Z', '1980-01-15'],
    ['timeline_start_mode', 'sometime', 'next_day'],
  ])('keep to what GetBill documents of %s: %s is refused', async (field, wrong, right) => {
    const { change } = await signedIn();
    const { status, json } = await change('POST', '/debts', { ...newDebt, [field]: wrong });
    expect([status, Object.keys(json['details'] ?? {})]).toEqual([400, [field]]);
    expect((await change('POST', '/debts', { ...newDebt, [field]: right })).status).toBe(201);
  });

  it('take a time as well where they are changed, and no text behind it', async () => {
    const { change } = await signedIn();
    const statusFor = async (due_date: string) =>
      (await change('PUT', `/debts/${firstDebt}`, { due_date })).status;
    expect(await statusFor('2024-01-15T10:30:00+00:00')).toBe(200);
    expect(await statusFor('2024-01-15 at noon')).toBe(400);
  });

  it('need a word for an expensive destination', async () => {
    const { change } = await signedIn();
    const debt = { ...newDebt, phone: '+212612345678' };
    expect((await change('POST', '/debts', debt)).status).toBe(422);
    expect(
      (await change('POST', '/debts', { ...debt, accept_expensive_destination: true })).status,
    ).toBe(201);
  });

  it('cannot be given a status that only GetBill sets', async () => {
    const { change } = await signedIn();
    expect(
      (await change('PUT', `/debts/${firstDebt}`, { status: 'status.default.settled' })).status,
    ).toBe(400);
  });

  it("of another company are denied, unknown ones aren't found", async () => {
    const { get } = await signedIn({}, lumiere);
    expect(await get(`/debts/${firstDebt}`)).toMatchObject({
      status: 403,
      json: { message: 'Access denied to this debt' },
    });
    expect(await get('/debts/nothing')).toMatchObject({
      status: 404,
      json: { error: true, code: 404 },
    });
  });

  it('refuse a body that is not JSON', async () => {
    const { signIn, api } = await signedIn();
    const { access_token: accessToken } = await signIn();
    expect((await api('/debts', accessToken, { method: 'POST', body: '{"a":' })).status).toBe(400);
  });
});

describe('debtors, creditors', () => {
  it('are wrapped twice where the documentation has it so', async () => {
    const { get, change } = await signedIn();
    const debtorPath = `/debtors/${String(listOf((await get('/debtors')).json)[0]?.['id'])}`;
    const creditorPath = `/creditors/${String(listOf((await get('/creditors')).json)[0]?.['id'])}`;
    expect((await get(debtorPath)).json).toMatchObject({
      message: 'Success',
      data: { data: { debtsCount: 3 } },
    });
    expect((await get(creditorPath)).json).toMatchObject({
      message: 'Success',
      data: { data: { totalDebts: 156 } },
    });
    expect((await change('PUT', debtorPath, { firstName: 'Zoé' })).json).toMatchObject({
      message: 'Success',
      data: { message: 'Debtor updated successfully', data: { firstName: 'Zoé' } },
    });
    expect((await change('PATCH', creditorPath, { city: 'Brest' })).json).toMatchObject({
      message: 'Creditor updated successfully',
      data: { city: 'Brest' },
    });
  });

  it('have validation errors of their own shapes', async () => {
    const { get, change } = await signedIn();
    const debtor = listOf((await get('/debtors')).json)[0];
    const creditor = listOf((await get('/creditors')).json)[0];
    const dateAnswer = await change('PUT', `/debtors/${String(debtor?.['id'])}`, {
      dateOfBirth: '1.2.1990',
    });
    expect(dateAnswer.json).toEqual({
      error: true,
      message: 'Invalid dateOfBirth format. Use YYYY-MM-DD',
      code: 400,
    });
    const emailAnswer = await change('PUT', `/creditors/${String(creditor?.['id'])}`, {
      email: 'nonsense',
    });
    expect(emailAnswer.json['errors']).toEqual([
      { property: 'email', message: 'This value is not a valid email address.' },
    ]);
  });
});

describe('followups, reports', () => {
  it('are listed by debt, created and updated', async () => {
    const { get, change } = await signedIn();
    const created = await change('POST', '/followups', {
      debt_id: firstDebt,
      type: 'call',
      summary: 'Rang once',
    });
    expect([created.status, created.json['message']]).toEqual([
      201,
      'Followup created successfully',
    ]);
    expect(dataOf(created.json)).toMatchObject({ status: 'on_hold', debt_id: firstDebt });
    expect(dataOf(created.json)).not.toHaveProperty('email_opened');
    const path = `/followups/${String(dataOf(created.json)['id'])}`;
    const updated = await change('PUT', path, { status: 'no_answer', debt_id: 'another' });
    expect(updated.json).toMatchObject({ data: { status: 'no_answer', debt_id: firstDebt } });
    const ofDebt = (await get(`/followups/debt/${firstDebt}?limit=100`)).json;
    expect(listOf(ofDebt).map((followup) => followup['debt_id'])).toEqual(
      listOf(ofDebt).map(() => firstDebt),
    );
    expect(dataOf((await get(`/debts/${firstDebt}`)).json)['followups_count']).toBe(
      listOf(ofDebt).length,
    );
  });

  it('keep to a type', async () => {
    const { get } = await signedIn();
    const types = listOf((await get('/followups?type=sms')).json).map(
      (followup) => followup['type'],
    );
    expect(new Set(types)).toEqual(new Set(['sms']));
  });

  it('tell where a completed report is downloaded, for an hour', async () => {
    const nowMs = Date.UTC(2026, 0, 1);
    const { get } = await signedIn({ now: () => nowMs });
    const [report] = listOf((await get('/reports')).json);
    const { json } = await get(`/reports/download/${String(report?.['id'])}`);
    expect(json['message']).toBe('Report download information retrieved');
    expect(dataOf(json)).toMatchObject({ id: report?.['id'], expires_at: '2026-01-01T01:00:00Z' });
  });

  it('have no download before they are completed', async () => {
    const { get } = await signedIn();
    const generating = listOf((await get('/reports')).json).find(
      (report) => report['status'] === 'generating',
    );
    expect((await get(`/reports/download/${String(generating?.['id'])}`)).status).toBe(400);
  });
});
