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
  const link = document.querySelector(`main table a[href="/debts/${CSS.escape(id)}"]`);
  if (link === null || link.parentElement.querySelector('.changed') !== null) return;
  const mark = document.createElement('span');
  mark.className = 'changed';
  mark.textContent = 'changed just now';
  link.after(mark);
}

function tell({ type, id }) {
  const kind = type.split('.')[0];
  changed.add(`${kind} ${id}`);
  const content = text.content.cloneNode(true);
  const name = NAMES[kind] ?? 'Something';
  content.querySelector('[data-what]').textContent =
    changed.size === 1 ? name : `${changed.size} things have`;
  line.replaceChildren(...content.childNodes);
  if (kind === 'debt' && id !== undefined) markRow(id);
}

const source = new EventSource(line.dataset.changes);
source.addEventListener('change', (event) => tell(JSON.parse(event.data)));
addEventListener('pagehide', () => source.close());
addEventListener('pageshow', (event) => event.persisted && location.reload());
