import type { Response } from 'express';
import type { AppError } from '../errors.js';

export function setErrorStatus(res: Response, { status, retryAfterS }: AppError): void {
  res.status(status);
  if (retryAfterS !== undefined) res.set('Retry-After', String(retryAfterS));
}
