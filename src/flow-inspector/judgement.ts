import { STATUS_CODES } from 'node:http';

/** Why a response, or its absence, is no success. */
export interface Judgement {
  readonly title: string;
  readonly failed: boolean;
}

export function judge({
  status,
  type,
  json,
  isToken,
  failure,
  hasBody,
}: {
  status: number;
  type: string;
  json: object | undefined;
  isToken: boolean;
  failure: string | undefined;
  hasBody: boolean;
}): Judgement {
  const line = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  const failed = (why?: string): Judgement => ({
    failed: true,
    title: why === undefined ? line : `${line}: ${why}`,
  });
  const { error } = (json ?? {}) as { error?: unknown };
  const isOAuthError = isToken && typeof error === 'string';
  if (status >= 300 && status < 400) return failed('a redirect, which is never followed');
  if (failure !== undefined && CUT[failure] !== undefined) return failed(CUT[failure]);
  if (status === 401 && !isToken) return failed('the access token is rejected');
  if (status === 429) return failed('GetBill asks us to slow down');
  if (status >= 400) return failed(isOAuthError && /^\w{1,40}$/.test(error) ? error : undefined);
  if (type.includes('html')) return failed('HTML where JSON was expected');
  if (failure === undefined && !hasBody)
    return isToken ? failed('an empty body') : { failed: false, title: line };
  if (failure === undefined && !type.includes('json') && !isToken) return failed('not JSON');
  if (isToken && json === undefined) return failed('not JSON');
  if (isOAuthError || (!isToken && error === true)) return failed('an error in a success');
  return { failed: false, title: line };
}

/** How a body ended after its head had come. */
const CUT: Readonly<Record<string, string>> = {
  getbill_timeout: 'then silence: the body did not end in time',
  getbill_unreachable: 'cut: the connection ended before the body did',
  answer_too_large: 'too large to be read',
  browser_left: 'the browser left, so the rest was not read',
};

const NO_RESPONSE: Readonly<Record<string, string>> = {
  getbill_timeout: 'No response in time',
  getbill_unreachable: 'No response: the connection failed or was closed',
  browser_left: 'No response: the browser left, so the call was ended',
  answer_too_large: 'A response too large to be read',
};

/** `failure`: the code of the error the call ended with. */
export const noResponse = (failure = ''): Judgement => ({
  failed: true,
  title: NO_RESPONSE[failure] ?? NO_RESPONSE['getbill_unreachable'] ?? '',
});
