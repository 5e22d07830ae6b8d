import { createServer } from 'node:http';
import { Pool } from 'undici';

export const { GETBILL, REDIS, PUBLIC_URL } = process.env;

export function listen(app) {
  const server = createServer(app);
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
  process.once('SIGTERM', () => process.exit()); // which lets --cpu-prof write
}

/** One call to the API, its answer passed on as it comes: the fastest way that undici has. */
export function createForward() {
  const pool = new Pool(GETBILL, { connections: 128 });
  return (accessToken, res) =>
    pool
      .stream(
        {
          method: 'GET',
          path: '/external-api/v1/company/profile',
          headers: { authorization: `Bearer ${accessToken}` },
        },
        ({ statusCode, headers }) => {
          res.writeHead(statusCode, { 'Content-Type': headers['content-type'], 'Content-Length': headers['content-length'] }); // prettier-ignore
          return res;
        },
      )
      .catch(() => res.destroy()); // the browser has left
}
