// A single-page front end: who is signed in, reads, writes with the CSRF token, and the way to sign in. No token ever comes here.
const $ = (id) => document.getElementById(id);
let session; // the answer of GET /session, while somebody is signed in

/** JSON from the app; `undefined` when it said no, and then the page says why or where to sign in. */
async function call(path, method = 'GET', body) {
  const write = { 'Content-Type': 'application/json', 'X-CSRF-Token': session?.csrfToken };
  const answer = await fetch(path, {
    method,
    headers: method === 'GET' ? {} : write,
    body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  if (answer.ok) return json;
  if (json.login_url) askToSignIn(json.login_url);
  else $('who').textContent = json.message ?? json.error; // GetBill's own words, or our code
}

function askToSignIn(loginUrl) {
  const link = document.createElement('a'); // sign-in is a journey of the browser, never a fetch
  link.href = `${loginUrl}?returnTo=${encodeURIComponent(location.pathname)}`;
  link.textContent = 'Sign in with GetBill';
  $('who').replaceChildren(link);
  $('debts').replaceChildren();
  $('sign-out').hidden = true;
}

function show({ id, firstname, lastname, amount, currency }) {
  const item = $('debts').appendChild(document.createElement('li'));
  item.textContent = `${firstname} ${lastname}: ${amount} ${currency} `;
  if (!session.scopes.includes('debts:write')) return;
  const hold = item.appendChild(document.createElement('button'));
  hold.textContent = 'Put on hold';
  hold.onclick = async () => {
    const answer = await call(`/api/debts/${id}`, 'PUT', { status: 'status.default.on_hold' });
    if (answer) hold.replaceWith(answer.data.status);
  };
}

$('sign-out').onclick = async () => {
  const answer = await fetch('/logout', {
    method: 'POST',
    headers: { 'X-CSRF-Token': session.csrfToken },
    redirect: 'manual',
  }).catch(() => undefined);
  // The app redirects who is signed out now; everything else is a failure
  if (answer?.type === 'opaqueredirect') askToSignIn('/login');
  else $('who').textContent = 'Signing out did not work. Please try again, or reload the page.';
};

session = await call('/session');
if (session) {
  $('who').textContent = `Signed in until ${new Date(session.expiresAt).toLocaleTimeString()}`;
  $('sign-out').hidden = false;
  (await call('/api/debts?limit=5'))?.data.forEach(show);
}
