// Sends the forms of the explorer in place, and colours JSON. Without this script the forms load the page anew.

const main = document.querySelector('main');

/** Colours without a tag: ranges of the text, painted by the style sheet. */
function colourJson() {
  if (!('highlights' in CSS)) return;
  const kinds = { name: new Highlight(), other: new Highlight() };
  for (const { firstChild } of document.querySelectorAll('[data-json]')) {
    for (const match of firstChild.data.matchAll(/"(?:[^"\\]|\\.)*"(:)?|[\w.+-]+/g)) {
      const kind = match[1] ? 'name' : match[0].startsWith('"') ? undefined : 'other';
      if (kind === undefined) continue;
      const range = new Range();
      range.setStart(firstChild, match.index);
      range.setEnd(firstChild, match.index + match[0].length);
      kinds[kind].add(range);
    }
  }
  for (const [kind, highlight] of Object.entries(kinds))
    CSS.highlights.set(`json-${kind}`, highlight);
}

/** Shows an error page in the place of a response: what was typed stays, to be corrected and sent again. */
function showRefusal(content) {
  const heading = document.createElement('h2');
  heading.id = 'response';
  heading.tabIndex = -1;
  heading.textContent = content.querySelector('h1').textContent;
  content.querySelector('header')?.remove();
  content.querySelector('a.button[href=""]')?.parentElement.remove(); // it would load the page anew
  for (const old of main.querySelectorAll('[aria-invalid]')) old.removeAttribute('aria-invalid');
  main.querySelector('[data-response]').replaceChildren(heading, ...content.childNodes);
}

let isSending = false;
async function send(form) {
  isSending = true;
  document.body.classList.add('loading');
  try {
    const response = await fetch(form.action, {
      method: 'POST',
      body: new URLSearchParams(new FormData(form)),
      headers: { accept: 'text/html' },
    });
    if (!response.headers.get('content-type').startsWith('text/html')) return location.reload();
    const received = new DOMParser().parseFromString(await response.text(), 'text/html');
    const content = received.querySelector('main');
    if (content.querySelector('[data-explorer]')) main.replaceChildren(...content.childNodes);
    else showRefusal(content);
    for (const button of main.querySelectorAll('button[data-copy]'))
      button.hidden = navigator.clipboard === undefined;
    colourJson();
    const invalid = main.querySelector('[aria-invalid]');
    const heading = main.querySelector('#response[tabindex]');
    const target = invalid ?? heading ?? main;
    target.focus();
  } finally {
    isSending = false;
    document.body.classList.remove('loading');
  }
}

document.addEventListener('submit', (event) => {
  if (!event.target.matches('[data-explorer]')) return;
  event.preventDefault();
  if (isSending) return;
  send(event.target).catch(() => {
    const box = main.querySelector('[data-response]');
    const text = document.createElement('p');
    text.className = 'notice';
    text.setAttribute('role', 'alert');
    text.textContent = 'This app did not respond. Is there a connection?';
    box.append(text);
  });
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.target.closest?.('[data-explorer]')?.requestSubmit();
});

colourJson();
