// A single-page front end: who is signed in, reads, writes with the CSRF token, and the way to sign in. No token ever comes here.
const $ = (id) => document.getElementById(id);
let session; // the answer of GET /session, while somebody is signed in

/** JSON from the app; `undefined` when nobody is signed in (any more), and then the page says where to. */
async function call(path, method = 'GET', body) {
  const answer = await fetch(path, {
    method,
    headers: method === 'GET' ? {} : { 'Content-Type': 'application/json', 'X-CSRF-Token': session.csrfToken },
    body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  if (answer.ok) return json;
  if (answer.status === 401 && json.login_url) return void askToSignIn(json.login_url);
  $('who').textContent = json.message ?? json.error; // GetBill's own words, or our code
}

function askToSignIn(loginUrl) {
  const link = document.createElement('a');
  link.href = `${loginUrl}?returnTo=${encodeURIComponent(location.pathname)}`; // a link: sign-in is a navigation, never a fetch
  link.textContent = 'Sign in with GetBill';
  $('who').replaceChildren(link);
  $('debts').replaceChildren();
  $('sign-out').hidden = true;
}

async function show() {
  const debts = await call('/api/debts?limit=5');
  for (const { id, firstname, lastname, amount, currency } of debts?.data ?? []) {
    const item = document.createElement('li');
    const hold = document.createElement('button');
    item.textContent = `${firstname} ${lastname}: ${amount} ${currency} `;
    hold.textContent = 'Put on hold';
    hold.onclick = async () => {
      const answer = await call(`/api/debts/${id}`, 'PUT', { status: 'status.default.on_hold' });
      if (answer) item.textContent += answer.data.status;
    };
    if (session.scopes.includes('debts:write')) item.append(hold);
    $('debts').append(item);
  }
}

$('sign-out').onclick = async () => {
  await fetch('/logout', { method: 'POST', headers: { 'X-CSRF-Token': session.csrfToken }, redirect: 'manual' });
  askToSignIn('/login');
};

session = await call('/session');
if (session) {
  $('who').textContent = `Signed in until ${new Date(session.expiresAt).toLocaleTimeString()}`;
  $('sign-out').hidden = false;
  await show();
}
