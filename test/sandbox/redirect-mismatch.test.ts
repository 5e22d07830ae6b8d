import { mismatchOf } from '../../sandbox/redirect-mismatch.js';
import { send, setUp } from './helpers.js';

const registered = ['http://localhost:3000/oauth/callback', 'https://app.example/oauth/callback'];

describe('a redirect URI that is not registered', () => {
  it.each([
    ['http://localhost:3001/oauth/callback', 'http://localhost:300', '1', '0', '/oauth/callback'],
    ['http://localhost:3000/oauth/callback/', 'http://localhost:3000/oauth/callback', '/', '', ''],
    ['https://localhost:3000/oauth/callback', 'http', 's', '', '://localhost:3000/oauth/callback'],
    [
      'http://127.0.0.1:3000/oauth/callback',
      'http://',
      '127.0.0.1',
      'localhost',
      ':3000/oauth/callback',
    ],
  ])(
    '%s is set beside the nearest one, with what differs',
    (sent, before, sentPart, registeredPart, after) => {
      expect(mismatchOf(sent, registered)).toMatchObject({
        parts: { before, sent: sentPart, registered: registeredPart, after },
        nearest: registered[0],
        others: [registered[1]],
      });
    },
  );

  it('is none when it is registered, or nothing was sent', () => {
    expect(mismatchOf(registered[1] ?? '', registered)).toBeUndefined();
    expect(mismatchOf('', registered)).toBeUndefined();
  });

  it('is shown beside the registered one, escaped, with a button that registers it', async () => {
    const { origin } = await setUp();
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'sandbox-client',
      redirect_uri: 'http://localhost:3000/<b>',
      scope: 'company:read',
      state: 'some-state-0123456789',
    });
    const { status, text } = await send(`${origin}/oauth/authorize?${query.toString()}`);
    expect(status).toBe(400);
    expect(text).toContain('redirect_uri_mismatch');
    expect(text).toContain('Sent by the app');
    expect(text).toContain('data-register="http://localhost:3000/&lt;b&gt;"');
    expect(text).not.toContain('<b>');
    expect(text.match(/Back to the app/g)).toHaveLength(1);
  });
});
