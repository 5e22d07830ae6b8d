import express, { type RequestHandler } from 'express';
import { RequestError } from '../../errors.js';
import { hasBody } from '../request-kind.js';

/** A small form, or nothing: a body of another media type is 415, and so is a compressed one. */
export function formBody({ limit = '10kb' } = {}): RequestHandler {
  const parse = express.urlencoded({ extended: false, limit, inflate: false });
  return function formBodyMiddleware(req, res, next) {
    if (hasBody(req) && !req.is('application/x-www-form-urlencoded')) {
      throw new RequestError('the body is not a form', {
        code: 'media_type_not_supported',
        status: 415,
      });
    }
    return parse(req, res, next);
  };
}
