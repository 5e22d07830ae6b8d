/* The control panel: a control sends a JSON request to /_sandbox, then the state is drawn anew. */
const all = (selector, act) => document.querySelectorAll(selector).forEach(act);
const one = (selector) => document.querySelector(selector);
const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

async function request(method, path, body) {
  const init =
    method === 'GET'
      ? {}
      : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`/_sandbox/${path}`, init);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** Sends a change and says beside the control what to do now. */
async function change(control, method, path, body, done = control.dataset.done ?? 'Done.') {
  try {
    await request(method, path, body);
    say(control, done);
    await draw();
  } catch (error) {
    say(control, error.message, true);
  }
}

let hiding;
function say(control, text, isError = false) {
  const message = one('[data-message]');
  message.textContent = text;
  message.classList.toggle('error', isError);
  const { left, bottom } = control.getBoundingClientRect();
  message.style.left = `${Math.max(8, Math.min(left, innerWidth - message.offsetWidth - 8))}px`;
  message.style.top = `${Math.min(bottom + 8, innerHeight - message.offsetHeight - 8)}px`;
  clearTimeout(hiding);
  hiding = setTimeout(() => (message.textContent = ''), 8000);
}

function drawWaiting(waiting) {
  const list = one('[data-waiting]');
  const texts = waiting.map(({ text }) => text).join('\n');
  one('[data-waiting-count]').textContent = waiting.length;
  one('[data-nothing]').hidden = waiting.length > 0;
  if (list.dataset.drawn === texts) return; // keeps the focus on a chip
  list.dataset.drawn = texts;
  const focused = [...list.querySelectorAll('button')].indexOf(document.activeElement);
  list.replaceChildren(
    ...waiting.map(({ queue, index, text, faultJson }) => {
      const remove = element('button', {
        type: 'button',
        textContent: '×',
        ariaLabel: `Remove: ${text}`,
      });
      Object.assign(remove.dataset, { remove: queue, index, faultJson });
      return element('li', {}, element('span', { textContent: text }), remove);
    }),
  );
  const buttons = list.querySelectorAll('button');
  if (focused >= 0) (buttons[Math.min(focused, buttons.length - 1)] ?? one('[data-times]')).focus();
}

function logRow({ number, at, call, credential, status, outcome, durationMs }) {
  const time = element('time', {
    dateTime: at,
    textContent: new Date(at).toLocaleTimeString('en-GB'),
  });
  const response = outcome === 'open' ? 'open' : outcome === 'failed' && !status ? 'cut' : status;
  const row = element(
    'tr',
    { className: outcome },
    element('td', {}, time),
    element('td', {}, element('code', { textContent: call })),
    element('td', {}, element('code', { textContent: credential })),
    element('td', { textContent: response }),
    element('td', {
      className: 'number',
      textContent: durationMs === undefined ? '' : `${Math.round(durationMs)} ms`,
    }),
  );
  row.dataset.number = number;
  return row;
}

function deliveryRow({ at, type, style, status, durationMs }) {
  const time = element('time', {
    dateTime: at,
    textContent: new Date(at).toLocaleTimeString('en-GB'),
  });
  return element(
    'tr',
    { className: status === 200 ? 'ok' : 'failed' },
    element('td', {}, time),
    element('td', {}, element('code', { textContent: type })),
    element('td', { textContent: one(`[data-operation="webhooks/${style}"]`).textContent }),
    element('td', { textContent: status || 'none' }),
    element('td', { className: 'number', textContent: `${durationMs} ms` }),
  );
}

/** A select shows a value that is none of its own as an option of its own. */
function drawSetting(control, value) {
  if (control === document.activeElement) return;
  if (control.type === 'checkbox') {
    control.checked = value;
    return;
  }
  const text = JSON.stringify(value);
  if (![...control.options].some((option) => option.value === text))
    control.add(new Option(String(value), text));
  control.value = text;
}

async function draw() {
  const state = await request('GET', 'panel');
  for (const { name, count } of state.counters) {
    const counter = one(`[data-counter="${name}"]`);
    counter.textContent = count.toLocaleString('en');
    counter.toggleAttribute('data-zero', count === 0);
  }
  all('[data-setting]', (control) => drawSetting(control, state.settings[control.dataset.setting]));
  one('[data-client-active]').checked = state.client.active;
  one('[data-held]').textContent = state.held;
  drawWaiting(state.waiting);
  one('[data-log]').replaceChildren(...state.log.map(logRow));
  const { deliveries } = await request('GET', 'webhooks');
  one('[data-no-deliveries]').hidden = deliveries.length > 0;
  one('[data-deliveries]').replaceChildren(...deliveries.slice(0, 20).map(deliveryRow));
  one('[data-redirect-uris]').replaceChildren(
    ...state.client.redirectUris.map((uri) =>
      element('li', {}, element('code', { textContent: uri })),
    ),
  );
}

/**
 * The queue of one kind as it stands, changed by `edit`. One after the other:
 * each begins with what the last one left.
 */
let editing = Promise.resolve();
function editQueue(control, queue, edit, done) {
  editing = editing.then(async () => {
    const { faults } = await request('GET', 'state');
    await change(control, 'PATCH', 'faults', { [queue]: edit(faults[queue]) }, done);
  });
  return editing;
}

/** The clipboard may be forbidden, and over plain http to another host there is none. */
async function copyTo(control, text, done) {
  try {
    await navigator.clipboard.writeText(text);
    say(control, done);
  } catch {
    say(control, 'The browser does not let this page copy: select the text instead.', true);
  }
}

/** Those before it may be gone since it was drawn: then it stands further to the front. */
const without =
  ({ index, faultJson }) =>
  (entries) => {
    const found = entries.findLastIndex(
      ({ times: _, ...rest }, at) => at <= index && JSON.stringify(rest) === faultJson,
    );
    return entries.filter((_, at) => at !== found);
  };

document.addEventListener('click', (event) => {
  const control = event.target.closest('button');
  if (control === null) return;
  const { operation, queue, fault, remove, copy, done } = control.dataset;
  if (operation) void change(control, 'POST', operation, {});
  if (fault) {
    const entry = { ...JSON.parse(fault), times: Number(one('[data-times]').value) };
    void editQueue(control, queue, (entries) => [...entries, entry], done);
  }
  if (remove) void editQueue(control, remove, without(control.dataset), 'Removed.');
  if (copy !== undefined) void copyTo(control, one('[data-copied]').textContent, done);
});
all('[data-setting]', (control) =>
  control.addEventListener('change', () => {
    const value = control.type === 'checkbox' ? control.checked : JSON.parse(control.value);
    void change(control, 'PATCH', 'faults', { [control.dataset.setting]: value }, 'Changed.');
  }),
);
one('[data-client-active]').addEventListener('change', ({ target }) =>
  change(target, 'POST', 'client', { active: target.checked }, 'Changed.'),
);
one('[data-redirect-uri]').addEventListener('submit', (event) => {
  event.preventDefault();
  const uri = event.target.querySelector('input').value.trim();
  void change(event.submitter, 'POST', 'redirect-uris', { uri }, `Registered: ${uri}`);
});
one('[data-faults]').addEventListener('submit', (event) => {
  event.preventDefault();
  try {
    void change(
      event.submitter,
      'PATCH',
      'faults',
      JSON.parse(event.target.querySelector('textarea').value),
      'Applied.',
    );
  } catch {
    say(event.submitter, 'That is not JSON.', true);
  }
});

async function follow() {
  // stopped or restarting: the next one will do
  if (!document.hidden) await draw().catch(() => undefined);
  setTimeout(follow, 1000);
}
void follow();
