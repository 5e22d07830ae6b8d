import type { RequestHandler } from 'express';
import { readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const CACHE_CONTROL = 'public, max-age=3600';
/** In the folder itself, and not hidden. */
const NAME = /^\w[\w.-]*$/;
const TEXT = /\.(css|js|svg)$/;

/**
 * Serves the files of `folder` from memory: the only responses that a browser may keep, for an
 * hour, and the only ones that are compressed, because nothing in them is secret.
 */
export function assets(folder: string): RequestHandler {
  const find = filesOf(folder);
  return function assetsMiddleware(req, res, next) {
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const file = isRead ? find(req.path.slice(1)) : undefined;
    if (file === undefined) return next();
    res.vary('Accept-Encoding');
    res.set({ 'Cache-Control': CACHE_CONTROL, ETag: file.etag });
    if (isAmong(req.get('if-none-match'), file.etag)) return void res.status(304).end();
    res.type(extname(req.path));
    if (file.gzip === undefined || req.acceptsEncodings('gzip') === false) {
      return void res.send(file.body);
    }
    res.set('Content-Encoding', 'gzip').send(file.gzip);
  };
}

/** RFC 9110 section 13.1.2: `If-None-Match` is a list of tags or `*`; weak equals strong. */
const isAmong = (tags: string | undefined, etag: string): boolean =>
  tags?.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^"/, 'W/"'))) === true;

interface File {
  /** Weak: for the file in either coding. */
  readonly etag: string;
  readonly body: Buffer;
  /** Only of a text. */
  readonly gzip: Buffer | undefined;
}

/** Finds a file by its name; read once, and again when it has changed. */
function filesOf(folder: string): (name: string) => File | undefined {
  const files = new Map<string, File>();
  return function find(name) {
    if (!NAME.test(name)) return undefined;
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) return undefined;
    const etag = `W/"${stat.size.toString(16)}-${Math.floor(stat.mtimeMs).toString(16)}"`;
    const known = files.get(name);
    if (known?.etag === etag) return known;
    const body = readFileSync(path);
    const file = { etag, body, gzip: TEXT.test(name) ? gzipSync(body, { level: 9 }) : undefined };
    files.set(name, file);
    return file;
  };
}
