import { request } from 'undici';

const HEADERS = { host: 'connect.example', 'x-forwarded-proto': 'https', accept: 'text/html' };

/** Through `/login`, the stub's approval and the callback: the cookies of one browser that is signed in. */
export async function signIn(origin) {
  const cookies = new Map();
  async function get(url) {
    const own = url.startsWith(origin);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await request(url, {
      headers: own ? { ...HEADERS, ...(cookie && { cookie }) } : {},
    });
    await answer.body.dump();
    for (const line of own ? [answer.headers['set-cookie'] ?? []].flat() : []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer.headers.location;
  }
  const toGetbill = await get(`${origin}/login`);
  if (toGetbill?.startsWith('http')) {
    const back = new URL(await get(toGetbill));
    await get(origin + back.pathname + back.search);
  }
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

/** So many browsers, a few at a time, each seen to get its company. */
export async function signInMany(origin, count) {
  const cookies = [];
  for (let done = 0; done < count; done += 10) {
    cookies.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(10, count - done) }, () => signIn(origin)),
      )),
    );
  }
  await Promise.all(cookies.map((cookie) => expectProfile(origin, cookie)));
  return cookies;
}

async function expectProfile(origin, cookie) {
  const { statusCode, body } = await request(`${origin}/api/company/profile`, { headers: { ...HEADERS, accept: 'application/json', cookie } }); // prettier-ignore
  const text = await body.text();
  if (statusCode !== 200 || !text.includes('Nordwind')) throw new Error(`not signed in: ${statusCode} ${text.slice(0, 200)}`); // prettier-ignore
}
