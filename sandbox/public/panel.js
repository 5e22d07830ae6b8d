/* The control panel: every control sends one JSON request to /_sandbox and shows the state that comes back. */
const each = (selector, act) => document.querySelectorAll(selector).forEach(act);
const message = document.querySelector('[data-message]');
let state;

async function send(method, path, body) {
  const init =
    method === 'GET' ? {} : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`/_sandbox/${path}`, init);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  show(answer);
}

async function change(method, path, body, done) {
  try {
    await send(method, path, body);
    say(done);
  } catch (error) {
    say(error.message, true);
  }
}

function say(text, isError = false) {
  message.textContent = text;
  message.classList.toggle('error', isError);
}

const counterOf = (name) => name.split('.').reduce((value, key) => value[key], state.counters);
const timesText = ({ times = 1 }) => (times === 0 ? 'until cleared' : times === 1 ? 'once' : `${times} times`);

function describe({ mode, times, ...rest }) {
  const details = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${[mode, ...details].join(', ')}: ${timesText({ times })}`;
}

function fill(list, texts) {
  list.replaceChildren(
    ...texts.map((text) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }),
  );
}

/** A select shows a value that is none of its own as an option of its own. */
function showSetting(control, value) {
  if (control === document.activeElement) return;
  if (control.type === 'checkbox') {
    control.checked = value;
    return;
  }
  const text = JSON.stringify(value);
  if (![...control.options].some((option) => option.value === text)) control.add(new Option(String(value), text));
  control.value = text;
}

function show(newState) {
  state = newState;
  each('[data-counter]', (element) => {
    const count = counterOf(element.dataset.counter);
    element.textContent = count.toLocaleString('en');
    element.toggleAttribute('data-zero', count === 0);
  });
  each('[data-setting]', (control) => showSetting(control, state.faults[control.dataset.setting]));
  each('[data-client-active]', (control) => (control.checked = state.client.active));
  each('[data-waiting]', (list) => fill(list, state.faults[list.dataset.waiting].map(describe)));
  each('[data-redirect-uris]', (list) => fill(list, state.client.redirectUris));
  each('[data-held]', (element) => (element.textContent = state.held));
}

each('[data-operation]', (button) =>
  button.addEventListener('click', () =>
    change('POST', button.dataset.operation, {}, `Done: ${button.dataset.operation.replaceAll('-', ' ')}`),
  ),
);
each('[data-fault]', (button) =>
  button.addEventListener('click', () => {
    const { queue, fault } = button.dataset;
    const times = Number(document.querySelector(`[data-times="${queue}"]`).value);
    const entry = { ...JSON.parse(fault), times };
    void change('PATCH', 'faults', { [queue]: [...state.faults[queue], entry] }, `Queued: ${button.textContent}`);
  }),
);
each('[data-clear]', (button) =>
  button.addEventListener('click', () => change('PATCH', 'faults', { [button.dataset.clear]: [] }, 'Cleared')),
);
each('[data-setting]', (control) =>
  control.addEventListener('change', () => {
    const value = control.type === 'checkbox' ? control.checked : JSON.parse(control.value);
    void change('PATCH', 'faults', { [control.dataset.setting]: value }, 'Changed');
  }),
);
each('[data-client-active]', (control) =>
  control.addEventListener('change', () => change('POST', 'client', { active: control.checked }, 'Changed')),
);
each('[data-redirect-uri]', (form) =>
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const uri = form.querySelector('input').value.trim();
    void change('POST', 'redirect-uris', { uri }, `Registered: ${uri}`);
  }),
);
each('[data-faults]', (form) =>
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    try {
      void change('PATCH', 'faults', JSON.parse(form.querySelector('textarea').value), 'Applied');
    } catch {
      say('That is not JSON', true);
    }
  }),
);

async function refresh() {
  if (!document.hidden) {
    try {
      await send('GET', 'state');
    } catch {
      say('The sandbox does not answer', true);
    }
  }
  setTimeout(refresh, 1000);
}
void refresh();
