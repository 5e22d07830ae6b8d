import { check, type Check, type Counts } from './counts.js';
import type { SceneId } from './scenes.js';

type Judge = (counted: Counts) => readonly Check[];

/** What the sandbox must have counted after a scene that ends with a sign-in, once it is done. */
export const checksAfterSignIn: Partial<Record<SceneId, Judge>> = {
  'sign-in': ({ signIns, codeExchanges, apiCalls, apiRefused }) => [
    check('sign-in at GetBill', signIns, 1),
    check('code exchange', codeExchanges, 1),
    check('API call with the new token, served', apiCalls - apiRefused, 1),
    check('API calls refused', apiRefused, 0),
  ],
  lost: ({ renewalCalls, renewals, spentTokens, signIns, codeExchanges }) => [
    check('renewal at GetBill: the one that was lost', renewals, 1),
    check('calls to renew in all', renewalCalls, 2),
    check('spent token sent and refused', spentTokens, 1),
    check('sign-in', signIns, 1),
    check('code exchange', codeExchanges, 1),
  ],
  revoked: ({ renewals, renewalsRefused, signIns, codeExchanges, apiCalls, apiRefused }) => [
    check('renewal refused', renewalsRefused, 1),
    check('renewals', renewals, 0),
    check('sign-in', signIns, 1),
    check('code exchange', codeExchanges, 1),
    check('API call served, for the page you had asked for', apiCalls - apiRefused, 1),
  ],
};
