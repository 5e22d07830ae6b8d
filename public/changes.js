// Says that something has changed since this page was read. The page itself is read again when the reader asks for it.
const line = document.querySelector('[data-changes]');
const text = document.querySelector('[data-changes-text]');
const NAMES = {
  debt: 'A debt',
  followup: 'A follow-up',
  payment: 'A payment',
  payment_plan: 'A payment plan',
};
const changed = new Set();

function markRow(id) {
  const path = `/debts/${CSS.escape(id)}`; // and where a list was filtered, the way back to it
  const link = document.querySelector(
    `main table a[href="${path}"], main table a[href^="${path}?"]`,
  );
  if (link === null || link.parentElement.querySelector('.changed') !== null) return;
  const mark = document.createElement('span');
  mark.className = 'changed';
  mark.textContent = 'changed just now';
  link.after(mark);
}

/** Keeps the link, which may have the focus, and equal words, which would be read aloud again. */
function say(what) {
  const isNew = line.childElementCount === 0;
  const content = isNew ? text.content.cloneNode(true) : line;
  const words = content.querySelector('[data-what]');
  if (words.textContent !== what) words.textContent = what;
  if (isNew) line.append(content);
}

function tell({ type, id }) {
  const kind = type.split('.')[0];
  changed.add(`${kind} ${id}`);
  const name = NAMES[kind] ?? 'Something';
  say(changed.size === 1 ? name : `${changed.size} things have`);
  if (kind === 'debt' && id !== undefined) markRow(id);
}

let address = line.dataset.changes;
let source;
let again;
let pauseMs; // unknown until a stream was open: a company without an endpoint gets none
/** Only while the page is visible: over HTTP/1.1 a browser has six connections to this app, for all its tabs together. */
function listenWhileVisible() {
  clearTimeout(again);
  source?.close();
  if (document.hidden) return;
  source = new EventSource(address);
  source.addEventListener('open', () => (pauseMs = 2_500));
  source.addEventListener('error', ({ target }) => {
    if (target.readyState !== EventSource.CLOSED || pauseMs === undefined) return;
    pauseMs = Math.min(2 * pauseMs, 300_000); // refused: then a browser does not come back by itself
    again = setTimeout(listenWhileVisible, pauseMs);
  });
  source.addEventListener('change', ({ data, lastEventId }) => {
    const path = address.split('?')[0];
    address = `${path}?since=${encodeURIComponent(lastEventId)}`; // so that nothing is missed in between
    tell(JSON.parse(data));
  });
}

listenWhileVisible();
document.addEventListener('visibilitychange', listenWhileVisible);
addEventListener('pagehide', () => source?.close());
addEventListener('pageshow', (event) => event.persisted && location.reload());
