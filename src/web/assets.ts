import express, { type RequestHandler } from 'express';

/** Serves the files of `folder`: the only responses that a browser may keep, for an hour. */
export function assets(folder: string): RequestHandler {
  return express.static(folder, {
    index: false,
    redirect: false,
    setHeaders: (res) => res.setHeader('Cache-Control', 'public, max-age=3600'), // else it keeps our no-store
  });
}
