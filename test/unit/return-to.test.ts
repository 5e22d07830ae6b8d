/// <reference types="jest" />
import { safeReturnTo } from '../../src/web/return-to.js';

const longest = `/debts?${'q'.repeat(1024 - '/debts?'.length)}`;

describe('[A16] the page to return to', () => {
  it.each([
    '/',
    '/?from=mail',
    '/dashboard',
    '/dashboard?tab=2&sort=-name',
    '/dashboard?next=https://evil.example/', // text in a query of ours, never a place to go
    '/dashboard?q=%2F%2Fevil.example',
    '/debts',
    '/debts?page=2&limit=50',
    '/debts/d_1-A',
    '/debts/d1?x=1',
    '/connection',
    '/flow',
    '/flow?after=3',
  ])('may be %s', (value) => {
    expect(safeReturnTo(value)).toBe(value);
  });

  it('may be as long as 1 KB, and no longer', () => {
    expect(safeReturnTo(longest)).toBe(longest);
    expect(safeReturnTo(`${longest}q`)).toBe('/dashboard');
  });

  it.each<unknown>([
    // another host
    'https://evil.example',
    'https://evil.example/dashboard',
    'HTTPS://evil.example',
    'https:evil.example',
    'http:/evil.example',
    '//evil.example',
    '///evil.example',
    '//evil.example/dashboard',
    '/\\evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    '/%5cevil.example',
    '/%2f/evil.example',
    '/%2fevil.example',
    '%2f%2fevil.example',
    '//localhost:3000/dashboard',
    '/@evil.example',
    '/.evil.example',
    '.evil.example',
    '@evil.example',
    ':443/',
    'javascript:alert(1)',
    'data:text/html,x',
    // dot segments whose path is "//evil.example"
    '/.//evil.example',
    '/..//evil.example',
    '/%2e%2e//evil.example',
    '/%2e//evil.example',
    '/dashboard/..//evil.example',
    '/dashboard/../..//evil.example',
    '/dashboard//evil.example',
    '/debts/..',
    '/debts/%2e%2e',
    '/debts/../api/debts',
    '/debts/./x',
    // control characters and white space, which browsers drop
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    ' /dashboard',
    '/dashboard ',
    '/dashboard\n',
    '/dashboard\r\nSet-Cookie: a=b',
    '/dashboard?x=\r\nSet-Cookie: a=b',
    '/dashboard%0d%0aSet-Cookie:a=b',
    '/dashboard\0',
    '/dashboard?x=\u2028',
    '/dashboard?x=é',
    '/dash\u200bboard',
    '/\u2215\u2215evil.example',
    '/／evil.example',
    // not a page of ours
    '/api',
    '/api/debts',
    '/api/../dashboard',
    '/login',
    '/login?returnTo=/login',
    '/oauth/callback?code=x',
    '/oauth',
    '/logout',
    '/session',
    '/healthz',
    '/metrics',
    '/assets/style.css',
    '/flow/steps',
    '/dashboards',
    '/dashboard/',
    '/Dashboard',
    '/debts/',
    '/debts/a/b',
    '/debts/a.b',
    '/debts/%41',
    `/debts/${'a'.repeat(129)}`,
    '/dashboard#fragment',
    '/dashboard?x="><script>',
    '/dashboard;x',
    'dashboard',
    '?x',
    '#x',
    '',
    // not a text
    undefined,
    null,
    7,
    true,
    {},
    [],
    ['/dashboard'],
    ['/dashboard', '//evil.example'],
    { toString: () => '/debts' },
  ])('may not be %j', (value) => {
    expect(safeReturnTo(value)).toBe('/dashboard');
  });

  it('stays on our origin as a browser resolves it, whatever was asked for', () => {
    const characters = [
      '/',
      '\\',
      '.',
      '%2f',
      '%5c',
      '\t',
      '\n',
      '@',
      ':',
      '?',
      '#',
      'evil.example',
      'debts',
      'flow',
      ' ',
    ];
    const texts = characters.flatMap((a) =>
      characters.flatMap((b) => characters.map((c) => `/${a}${b}${c}`)),
    );
    for (const text of texts) {
      const { origin, pathname } = new URL(safeReturnTo(text), 'https://connect.example');
      expect(`${origin}${pathname}`).toMatch(
        /^https:\/\/connect\.example\/(dashboard|debts|flow|debts\/\w+|)$/,
      );
    }
  });
});
