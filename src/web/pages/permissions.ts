import { endpoints } from '../../getbill/endpoints.js';
import type { TokenSet } from '../../core/oauth/token-set.js';
import { describeScope } from './scope-texts.js';

/** One permission: whether this app asks for it and whether it was granted. */
export interface Permission {
  readonly scope: string;
  readonly text: string;
  readonly isAsked: boolean;
  /** `unsaid`: GetBill has not said what it granted, and has not refused this. */
  readonly granted: 'yes' | 'no' | 'unsaid';
  /** Asks for it at GetBill; what was granted stays until that has succeeded. */
  readonly askHref: string | undefined;
}

export interface Permissions {
  readonly rows: readonly Permission[];
  /** Permissions that this app could use and does not ask for. */
  readonly others: readonly Permission[];
  /** Asks for everything that is missing. */
  readonly askAllHref: string | undefined;
}

function stepUpHref(scopes: readonly string[]): string {
  const scope = scopes.join(' ');
  const query = new URLSearchParams({ again: '1', scope, returnTo: '/connection' });
  return `/login?${query.toString()}`;
}

export function permissionsOf(
  { scopes, scopesAssumed }: Pick<TokenSet, 'scopes' | 'scopesAssumed'>,
  asked: readonly string[],
): Permissions {
  const ifThere = scopesAssumed === true ? 'unsaid' : 'yes';
  const permission = (scope: string): Permission => {
    const isThere = scopes.includes(scope);
    return {
      scope,
      text: describeScope(scope),
      isAsked: asked.includes(scope),
      granted: isThere ? ifThere : 'no',
      askHref: isThere ? undefined : stepUpHref([scope]),
    };
  };
  const shown = [...new Set([...asked, ...scopes])];
  const usable = [...new Set(endpoints.map(({ scope }) => scope))];
  const missing = asked.filter((scope) => !scopes.includes(scope));
  return {
    rows: shown.map(permission),
    others: usable.filter((scope) => !shown.includes(scope)).map(permission),
    askAllHref: missing.length > 1 ? stepUpHref(missing) : undefined,
  };
}
