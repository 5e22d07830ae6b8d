/* The error page of a redirect URI that is not registered: registers it, as GetBill would. */
const button = document.querySelector('[data-register]');
button.addEventListener('click', async () => {
  const body = JSON.stringify({ uri: button.dataset.register });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch('/_sandbox/redirect-uris', { method: 'POST', headers, body });
  const { error } = await response.json();
  document.querySelector('[data-message]').textContent = response.ok
    ? 'Registered. Go back and sign in again.'
    : error;
});
