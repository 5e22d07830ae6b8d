import express, { type RequestHandler } from 'express';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const CACHE_CONTROL = 'public, max-age=3600';

/**
 * Serves the files of `folder`: the only responses that a browser may keep, for an hour, and the only
 * ones that are compressed, because nothing in them is secret.
 */
export function assets(folder: string): RequestHandler {
  const files = express.static(folder, {
    index: false,
    redirect: false,
    setHeaders: (res) => res.setHeader('Cache-Control', CACHE_CONTROL), // else it keeps our no-store
  });
  const compressed = compressedFiles(folder);
  return function assetsMiddleware(req, res, next) {
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const file = isRead ? compressed(req.path.slice(1)) : undefined;
    if (file === undefined) return void files(req, res, next);
    res.vary('Accept-Encoding');
    if (req.get('range') !== undefined || req.acceptsEncodings('gzip') === false) {
      return void files(req, res, next);
    }
    res.set({ 'Cache-Control': CACHE_CONTROL, 'Content-Encoding': 'gzip', ETag: file.etag });
    if (req.get('if-none-match') === file.etag) return void res.status(304).end();
    res.type(extname(req.path)).send(file.body);
  };
}

interface CompressedFile {
  readonly etag: string;
  readonly body: Buffer;
}

/** Finds a text of `folder` by its name; compressed once, and again when the file has changed. */
function compressedFiles(folder: string): (name: string) => CompressedFile | undefined {
  const names = new Set(readdirSync(folder).filter((name) => /\.(css|js|svg)$/.test(name)));
  const files = new Map<string, CompressedFile>();
  return function find(name) {
    if (!names.has(name)) return undefined;
    const path = join(folder, name);
    const { mtimeMs, size } = statSync(path);
    const etag = `W/"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}-gzip"`;
    const known = files.get(name);
    if (known?.etag === etag) return known;
    const file = { etag, body: gzipSync(readFileSync(path), { level: 9 }) };
    files.set(name, file);
    return file;
  };
}
