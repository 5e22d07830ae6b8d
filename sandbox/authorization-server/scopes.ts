/** Every scope GetBill documents, with what the consent page says about it. */
export const scopeTexts: Readonly<Record<string, string>> = {
  'company:read': 'See the company profile and its credits',
  'debts:read': 'See debts',
  'debts:write': 'Create, change and delete debts',
  'followups:read': 'See follow-ups: calls, emails, messages',
  'followups:write': 'Create and change follow-ups',
  'reports:read': 'See and download reports',
  'users:read': 'See the users of the company',
  'webhooks:read': 'See webhook logs and statistics',
  'debtors:read': 'See debtors',
  'debtors:write': 'Change debtors',
  'creditors:read': 'See creditors',
  'creditors:write': 'Change creditors',
};

export const allScopes: readonly string[] = Object.keys(scopeTexts);

export const splitScopes = (scope: string | undefined): string[] =>
  (scope ?? '').split(' ').filter((s) => s !== '');

/** The first requested scope that does not exist here, or that the client was not given. */
export const refusedScope = (
  scope: string | undefined,
  given: readonly string[],
): string | undefined => splitScopes(scope).find((name) => !given.includes(name));
