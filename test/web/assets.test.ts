import express from 'express';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import { assets } from '../../src/web/assets.js';

const folder = mkdtempSync(join(tmpdir(), 'gb-assets-'));
afterAll(() => rmSync(folder, { recursive: true }));
const css = '.a { color: red; }\n'.repeat(200);
writeFileSync(join(folder, 'style.css'), css);
writeFileSync(join(folder, 'picture.png'), 'PNG');
writeFileSync(join(folder, '.hidden'), '');
mkdirSync(join(folder, 'folder'));

const app = express().disable('etag').use('/assets', assets(folder));
const get = (path: string, headers: Record<string, string> = {}) =>
  request(app)
    .get(path)
    .set({ 'accept-encoding': 'gzip', ...headers });

describe('a file for browsers', () => {
  it('is compressed for those that can read it so, and as it is for others', async () => {
    const packed = await get('/assets/style.css');
    expect(packed.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': expect.stringContaining('text/css') as string,
      'cache-control': 'public, max-age=3600',
      vary: 'Accept-Encoding',
    });
    expect(Number(packed.headers['content-length'])).toBeLessThan(css.length / 10);
    const plain = await get('/assets/style.css', { 'accept-encoding': 'identity' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers['vary']).toBe('Accept-Encoding');
    expect(plain.text).toBe(css);
    const picture = await get('/assets/picture.png');
    expect(picture.headers['content-encoding']).toBeUndefined();
    expect(picture.body).toEqual(Buffer.from('PNG'));
    for (const path of [
      '/assets/nothing.css',
      '/assets/__proto__',
      '/assets/.hidden',
      '/assets/folder',
    ])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
  });

  it('is not sent again while it is the same, and at once when it has changed', async () => {
    const first = await get('/assets/style.css');
    const etag = String(first.headers['etag']);
    const same = [etag, etag.slice('W/'.length), `"another", ${etag}`, `${etag},W/"another"`, '*'];
    for (const tags of same) {
      const { status } = await get('/assets/style.css', { 'if-none-match': tags });
      expect([tags, status]).toEqual([tags, 304]);
    }
    for (const tags of ['"another"', '', etag.slice(0, -1)]) {
      const { status } = await get('/assets/style.css', { 'if-none-match': tags });
      expect([tags, status]).toEqual([tags, 200]);
    }
    writeFileSync(join(folder, 'style.css'), '.b {}');
    const changed = await get('/assets/style.css', { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.text).toBe('.b {}');
    writeFileSync(join(folder, 'style.css'), css);
  });
});
