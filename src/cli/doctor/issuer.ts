import { createAuthorizationRequest } from '../../core/oauth/authorization.js';
import { redirectOf } from './ask.js';
import { fail, pass, warn, type Check } from './check.js';

/**
 * Whether callbacks carry the `iss` of GETBILL_ISSUER (RFC 9207). An unknown response type is
 * answered at our redirect URI (RFC 6749 section 4.1.2.1), with nobody signed in.
 */
export const issuerCheck: Check = {
  name: 'issuer',
  needs: 'redirect URI',
  setting: 'issuer',
  async examine({ config: { getbill }, ask }) {
    const { issuer, redirectUri } = getbill;
    if (issuer === undefined) return undefined;
    const { url } = await createAuthorizationRequest(getbill);
    url.searchParams.set('response_type', 'doctor');
    const headers = { accept: 'text/html' };
    const response = await ask(url, { headers }).catch(() => undefined);
    const target = response && redirectOf(response, url);
    if (target?.href.split('?')[0] !== redirectUri) {
      return warn(
        'it cannot be seen from here whether GetBill sends the "iss" that GETBILL_ISSUER asks for',
        'sign in once; on an error about the issuer unset GETBILL_ISSUER',
      );
    }
    const sent = target.searchParams.get('iss');
    if (sent === issuer) return pass(issuer);
    return sent === null
      ? fail(
          'GETBILL_ISSUER is set, but GetBill sends no "iss" in callbacks: every sign-in fails',
          'unset GETBILL_ISSUER',
        )
      : fail(
          'GetBill sends another "iss" than GETBILL_ISSUER: every sign-in fails',
          `set GETBILL_ISSUER=${sent}`,
        );
  },
};
