import type { Request, Response } from 'express';
import { AppError } from '../errors.js';
import type { Forward } from '../getbill/api-call.js';
import { accessOf, type AccessDeps } from '../web/access.js';
import { setErrorStatus } from '../web/error-status.js';
import { leftSignal } from '../web/left-signal.js';
import { isAboutThePage } from '../web/pages/part.js';
import type { Operation } from './operations.js';
import type { ExplorerRequest } from './request.js';
import { failureView, responseView, type ResponseView } from './response.js';

/** Sends the request as `/api` does. Throws only when the session ended or the storage is away. */
export async function sendRequest(
  req: Request,
  res: Response,
  {
    operation,
    request,
    access,
    forward,
  }: { operation: Operation; request: ExplorerRequest; access: AccessDeps; forward: Forward },
): Promise<ResponseView> {
  const startedMs = performance.now();
  const { requestId, formats } = res.locals;
  const mine = accessOf(req, res, access);
  const first = mine.accessToken;
  try {
    const response = await forward(
      {
        endpoint: operation.endpoint,
        path: request.path,
        query: request.query,
        body: request.body === undefined ? undefined : Buffer.from(request.body),
        requestId,
        caller: 'proxy',
        signal: leftSignal(res),
      },
      mine,
    );
    return await responseView(response, {
      operation,
      target: request.path + request.query,
      durationMs: performance.now() - startedMs,
      secrets: [first, mine.accessToken],
      formats,
    });
  } catch (error) {
    if (!(error instanceof AppError) || isAboutThePage(error)) throw error;
    setErrorStatus(res, error); // the page is shown, and machines still see what is missing
    return failureView(error, {
      requestId,
      durationMs: performance.now() - startedMs,
      formats,
    });
  }
}
