// Brings new steps into the page as they happen, opens steps in place, and marks equal values. Without it: links.
const log = document.querySelector('[data-flow-live]');
const state = document.querySelector('[data-flow-state]');
const scroller = log.closest('.flow-scroll') ?? document.scrollingElement;

/** Replaces a link by what the server renders for it. `false`: the server did not. */
async function fill(details) {
  const link = details.querySelector(':scope > .flow-more > a');
  const address = link?.dataset.flowStep ?? link?.dataset.flowStory;
  if (address === undefined || link.dataset.asked) return true;
  link.dataset.asked = 'yes';
  const response = await fetch(address + location.search).catch(() => undefined);
  if (!response?.ok) {
    delete link.dataset.asked;
    return false;
  }
  const hadFocus = document.activeElement === link;
  link.parentElement.outerHTML = await response.text();
  if (hadFocus) details.querySelector('summary').focus();
  offerCopying(details);
  return true;
}

function offerCopying(part) {
  for (const button of part.querySelectorAll('button[data-copy]'))
    button.hidden = navigator.clipboard === undefined;
}

log.addEventListener('toggle', ({ target }) => void (target.open && fill(target)), true);
log.addEventListener('click', async (event) => {
  const link = event.target.closest('.flow-more > a');
  if (link !== null && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    if (!(await fill(link.closest('details')))) location.assign(link.href);
  }
});

/** The same masked value, wherever it is on the page: a code that is exchanged, a token that is spent. */
function markEqual({ target }) {
  const hash = target.closest?.('.mask')?.dataset.mask;
  for (const marked of log.querySelectorAll('.same')) marked.classList.remove('same');
  if (hash === undefined) return;
  for (const equal of log.querySelectorAll(`[data-mask="${hash}"], [data-masks~="${hash}"]`)) {
    equal.classList.add('same');
  }
}
log.addEventListener('mouseover', markEqual);
log.addEventListener('focusin', markEqual);

/** Keeps the reader's place while something is added above it. */
function keepingPlace(change) {
  const inside = log.contains(document.activeElement) ? document.activeElement : undefined;
  const anchor =
    inside ?? (scroller.scrollTop > 0 ? log.querySelector('.story-card[open]') : undefined);
  const before = anchor?.getBoundingClientRect().top;
  change();
  if (anchor !== undefined)
    scroller.scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: 'instant' });
}

function addCard(html) {
  log.querySelector('.flow-empty')?.remove();
  const previous = log.querySelector('.story-card[open]');
  log.insertAdjacentHTML('afterbegin', html);
  const isBeingRead =
    previous?.querySelector('li > details[open]') || previous?.contains(document.activeElement);
  if (previous && !isBeingRead) previous.open = false;
}

function addStep({ chain, title, extent, failed, number, row, card }) {
  if (card !== undefined && document.getElementById(`c-${chain}`) === null) addCard(card);
  const story = document.getElementById(`c-${chain}`);
  if (story === null) return;
  story.classList.toggle('failed', failed);
  const texts = { title, extent, failed: failed ? '✕ with a failure' : '' };
  for (const [name, text] of Object.entries(texts)) {
    const part = story.querySelector(`.story-${name}`);
    if (part.textContent !== text) part.textContent = text; // equal text, set again, would be read aloud again
  }
  if (document.getElementById(`s${number}`) !== null) return; // came with the whole story
  const list = story.querySelector('.flow-steps');
  list?.insertAdjacentHTML('beforeend', row);
  list?.lastElementChild.classList.add('is-new');
}

let live;
let address = log.dataset.flowLive; // once a step has come, it names the last one
let hasEnded = false;
let again;
let pauseMs; // unknown until a stream was open
/** The address of the stream after a step. */
function addressAfter(number) {
  const [path, query] = address.split('?');
  const params = new URLSearchParams(query);
  params.set('last', number);
  return `${path}?${params}`;
}

/** Only while the page is visible: over HTTP/1.1 a browser has six connections to this app, for all its tabs together. */
function followWhileVisible() {
  clearTimeout(again);
  live?.close();
  if (document.hidden || hasEnded) return;
  const source = new EventSource(address);
  live = source;
  source.addEventListener('open', () => {
    state.textContent = 'Live: new messages appear here';
    pauseMs = 2_500;
  });
  source.addEventListener('error', () => {
    const isRefused = source.readyState === EventSource.CLOSED;
    state.textContent = isRefused && pauseMs === undefined ? '' : 'Connecting again';
    if (!isRefused || pauseMs === undefined) return;
    pauseMs = Math.min(2 * pauseMs, 300_000); // refused: then a browser does not come back by itself
    again = setTimeout(followWhileVisible, pauseMs);
  });
  source.addEventListener('step', ({ data, lastEventId }) => {
    address = addressAfter(lastEventId);
    keepingPlace(() => addStep(JSON.parse(data)));
  });
  source.addEventListener('end', () => {
    hasEnded = true;
    source.close();
    state.textContent = 'You have signed out: this page stands still now';
  });
}

followWhileVisible();
document.addEventListener('visibilitychange', followWhileVisible);
addEventListener('pagehide', () => live?.close());
addEventListener('pageshow', (event) => event.persisted && followWhileVisible());
offerCopying(document);
