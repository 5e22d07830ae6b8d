import type { Config } from '../config/config.js';
import {
  AppError,
  ConfigError,
  GetbillApiError,
  InvalidInputError,
  OutcomeUnknownError,
  StorageError,
  WalkStoppedError,
  redisReason,
} from '../errors.js';
import { errorFacts } from '../error-facts.js';
import { operatorHint } from '../oauth-explanations.js';
import { proxyFailureOf } from '../getbill/agent.js';
import { proxyFor } from '../getbill/proxy.js';
import { explainConnection } from './doctor/explain-connection.js';
import { ProxyError } from './doctor/proxy.js';

const DOCTOR = 'npm run doctor';

/** For the operator at a terminal, with hints. `config`: where it could be read. */
export function explainError(error: unknown, config?: Config): string {
  if (error instanceof ConfigError) {
    const lines = error.problems.map((problem) => `  - ${problem}`);
    if (lines.some((line) => line.includes('GETBILL_CLIENT_')))
      lines.push('  without an account: npm run demo in another terminal');
    return [`${error.message}:`, ...lines].join('\n');
  }
  if (!(error instanceof AppError)) return error instanceof Error ? error.message : String(error);
  const unreachable =
    error instanceof WalkStoppedError ? undefined : explainUnreachable(error, config);
  return [...(unreachable ?? explainAppError(error)), ...whatNext(error)].join('\n');
}

function explainAppError(error: AppError): string[] {
  const { code, serverSaid } = error;
  const hint = operatorHint(code) ?? error.hint ?? hintFromFacts(error);
  const lines = [`${error.message} (${code})`];
  if (hint !== undefined) lines.push(`  ${hint}`);
  if (error instanceof GetbillApiError || error instanceof InvalidInputError) {
    for (const [field, problems] of Object.entries(error.fields))
      lines.push(`  ${field === '' ? '' : `${field}: `}${problems.join('; ')}`);
  }
  if (serverSaid !== undefined) lines.push(`  GetBill said: ${serverSaid}`);
  const causes = causesOf(error).filter((text) => !error.message.includes(text));
  return [...lines, ...causes.map((text) => `  ${text}`)];
}

const FACTS = { ...errorFacts['Sessions and tokens'], ...errorFacts['Calls to GetBill'] };

/** What GetBill's own message does not say. After a write of unknown outcome not "try again". */
function hintFromFacts(error: AppError): string | undefined {
  const { code, status } = error;
  const isMute = status >= 500 || code === 'missing_scope';
  if (!isMute || isUnknown(error) || !Object.hasOwn(FACTS, code)) return undefined;
  const [, cause, fix] = FACTS[code] ?? [];
  return error instanceof GetbillApiError ? fix : `${cause}: ${fix}`;
}

/** Of errors that are not ours only those of Redis: another text may quote a response. */
function causesOf(error: AppError): string[] {
  const { cause } = error;
  if (cause instanceof AppError) return [cause.message, ...causesOf(cause)];
  return error instanceof StorageError && cause instanceof Error ? [redisReason(cause)] : [];
}

function whatNext(error: AppError): string[] {
  const lines: string[] = [];
  if (error.code === 'invalid_client') lines.push(`  ${DOCTOR} says which of the two is wrong`);
  if (UNREACHABLE.has(error.code)) lines.push(`  ${DOCTOR} looks closer`);
  if (error.retryAfterS !== undefined && !(error instanceof StorageError))
    lines.push(`  try again in ${error.retryAfterS} s`);
  if (isUnknown(error)) lines.push('  GetBill may have done it: look before it is sent again');
  if (error instanceof WalkStoppedError) {
    lines.push(`  what came before it is shown; go on with --page ${error.nextPage}`);
  }
  return lines;
}

const isUnknown = (error: AppError): boolean => error instanceof OutcomeUnknownError;
const UNREACHABLE = new Set(['getbill_unreachable', 'getbill_timeout']);

/** Names the host and the reason, not the action that failed. `undefined` for another error. */
function explainUnreachable(error: AppError, config: Config | undefined): string[] | undefined {
  if (config === undefined || !UNREACHABLE.has(error.code)) return undefined;
  const { tokenUrl, apiUrl, timeoutMs } = config.getbill;
  // "could not be renewed" wraps the call
  const isTokenCall = error.cause instanceof AppError && !isUnknown(error);
  const called = isTokenCall
    ? { url: tokenUrl, variable: 'GETBILL_TOKEN_URL' }
    : { url: apiUrl, variable: 'GETBILL_API_URL' };
  const isOneHost = tokenUrl.origin === apiUrl.origin;
  const place = { ...called, ...(isOneHost && { variable: 'GETBILL_BASE_URL' }), timeoutMs };
  const proxy = proxyFor(place.url, config.getbill.proxy);
  const failure = proxy && proxyFailureOf(error);
  const reason = failure ? new ProxyError(proxy, failure) : error;
  const { cause = '', fix = '' } = explainConnection(reason, place);
  const way = proxy ? ` through the proxy ${proxy.url.host} (${proxy.variable})` : '';
  return [`GetBill could not be reached${way}: ${cause}`, `  ${fix}`];
}
