import type { AppError } from '../../src/errors.js';
import {
  ConfigError,
  GetbillApiError,
  OutcomeUnknownError,
  StorageError,
  UnavailableError,
  WalkStoppedError,
  type AppErrorOptions,
} from '../../src/errors.js';
import { judgeTokenResponse } from '../../src/core/oauth/token-response.js';
import { exitCodeOf, exitCodes } from '../../src/cli/exit-codes.js';
import { explainError } from '../../src/cli/explain-error.js';

const refused = new Error('connect ECONNREFUSED 127.0.0.1:6379');
const unavailable: AppErrorOptions = { code: 'renewal_failed', status: 503 };

describe('an error on the command line', () => {
  it('says why Redis failed, also where it is the cause of another error', () => {
    const storage = new StorageError(refused);
    const errors: AppError[] = [
      storage,
      new WalkStoppedError(storage, { nextPage: 3 }),
      new UnavailableError('not renewed', { ...unavailable, cause: storage }),
    ];
    for (const error of errors)
      expect(explainError(error)).toContain('\n  connect ECONNREFUSED 127.0');
  });

  it('says each cause once', () => {
    const cause = new UnavailableError('the token endpoint responded with 503', unavailable);
    const text = explainError(new WalkStoppedError(cause, { nextPage: 3 }));
    expect(text.match(/responded with 503/g)).toHaveLength(1);
  });

  it.each([
    'getbill_error', 'answer_not_json', 'answer_redirects', 'answer_too_large', 'token_endpoint_busy',
  ])('says what to do about %s', (code) => {
    const error = new UnavailableError('no usable response', { code, status: 502 });
    expect(explainError(error)).toMatch(/\n {2}.*: .*(try again|wait|check|ask)/);
  }); // prettier-ignore

  it('says what to do about a token that the API rejects, and of a limit what GetBill said', () => {
    const [rejected, limited] = [401, 429].map((status) => new GetbillApiError({ status, message: 'no' }));
    expect(explainError(rejected)).toContain('compare GETBILL_API_URL with GETBILL_TOKEN_URL');
    expect(explainError(limited)).toBe('no (getbill_quota_used)');
  }); // prettier-ignore

  it('is a limit where the token endpoint responds with 429, and says when to try again', () => {
    const response = { status: 429, headers: { 'retry-after': '7' }, body: '' };
    const request = { grantType: 'client_credentials', nowMs: 0, secrets: [] } as const;
    const judgement = judgeTokenResponse(response, request);
    if (judgement.outcome !== 'transient') throw new Error(judgement.outcome);
    const { code } = judgement.error;
    const cause = new UnavailableError('not renewed', { code, cause: judgement.error, retryAfterS: 7 });
    expect(exitCodeOf(cause)).toBe(exitCodes.limit);
    expect(explainError(cause)).toMatch(/responded with 429[^]*try again in 7 s/);
  }); // prettier-ignore

  it('says when to try again of every call that may be sent again, and of no other', () => {
    const cause = new UnavailableError('x', { code: 'getbill_error', status: 502, retryAfterS: 9 });
    expect(explainError(cause)).toContain('try again in 9 s');
    expect(explainError(new OutcomeUnknownError(cause))).not.toContain('try again');
  });

  it('leads to the demo only when there is no client', () => {
    expect(explainError(new ConfigError(['GETBILL_CLIENT_ID is not set']))).toContain(
      'npm run demo',
    );
    expect(explainError(new ConfigError(['REDIS_URL is not set']))).not.toContain('npm run demo');
  });

  it.each([
    ['a password', 'Redis at redis://app:CANARY@10.0.0.1:6379: away', '//10.0.0.1:6379: away'],
    ['arguments', "ERR unknown command 'x', with args beginning with: 'CANARY'", 'ERR unknown command'],
  ])('says why Redis failed without %s', (_what, message, said) => {
    const text = explainError(new StorageError(new Error(message)));
    expect(text).toContain(said);
    expect(text).not.toContain('CANARY');
  }); // prettier-ignore

  it('shows no text of an error that is not ours: it may quote a response', () => {
    const cause = new SyntaxError('"CANARY" is not valid JSON');
    const text = explainError(new UnavailableError('no JSON', { ...unavailable, cause }));
    expect(text).not.toContain('CANARY');
  });
});
