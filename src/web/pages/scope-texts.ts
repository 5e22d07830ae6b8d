const texts = new Map([
  ['company:read', 'See your company profile and credits'],
  ['debts:read', 'See your debts'],
  ['debts:write', 'Create, change and delete debts'],
  ['followups:read', 'See follow-ups of your debts'],
  ['followups:write', 'Create and change follow-ups'],
  ['reports:read', 'See and download reports'],
  ['users:read', 'See the users of your company'],
  ['webhooks:read', 'See webhook logs and statistics'],
  ['debtors:read', 'See your debtors'],
  ['debtors:write', 'Change your debtors'],
  ['creditors:read', 'See your creditors'],
  ['creditors:write', 'Change your creditors'],
]);

/** A scope in plain words; one that GetBill adds later is shown by its name. */
export const describeScope = (scope: string): string => texts.get(scope) ?? scope;
