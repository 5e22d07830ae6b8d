// Comfort for pages that read well without it: times local to the reader, countdowns while the page is
// looked at, copy buttons, a menu that closes, and a bar while a slow page loads.
const { locale } = document.documentElement.dataset;
const formatOf = (options) => new Intl.DateTimeFormat(locale, options);
const localFormats = {
  '': formatOf({ dateStyle: 'medium', timeStyle: 'short' }),
  date: formatOf({ dateStyle: 'medium' }),
  time: formatOf({ timeStyle: 'short' }),
  seconds: formatOf({ timeStyle: 'medium' }),
};
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const times = [...document.querySelectorAll('time[data-local]')];
// Without "UTC" a text may need a line less: its place keeps its height, so that nothing below moves.
const places = times.flatMap((time) => [time, time.closest('p, li, dd') ?? time]);
const heights = places.map(({ offsetHeight }) => `${offsetHeight}px`);
places.forEach(({ style }, index) => (style.minHeight = heights[index]));
const widthAtFirst = innerWidth;
const releasePlaces = () => places.forEach(({ style }) => (style.minHeight = ''));
addEventListener('beforeprint', releasePlaces);
addEventListener('resize', () => innerWidth !== widthAtFirst && releasePlaces());
for (const time of times) {
  const date = new Date(time.dateTime);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(time.dateTime); // without one, the server's reading stands
  const format = localFormats[time.dataset.local];
  if (!hasZone || format === undefined || Number.isNaN(date.getTime())) continue;
  time.textContent = format.format(date);
  time.title = zone;
}

const loadedAt = Date.now();
/** When a countdown ends: at its time, or so many seconds after the page was loaded. */
const endOf = ({ dateTime, dataset }) =>
  dataset.after ? loadedAt + dataset.after * 1000 : Date.parse(dateTime);
const countdowns = document.querySelectorAll('time[data-countdown]');

function left(ms) {
  const seconds = Math.ceil(ms / 1000);
  const two = (number) => String(number).padStart(2, '0');
  if (seconds >= 3600)
    return `in ${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  if (seconds >= 60) return `in ${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `in ${seconds} s`;
}

/** How far "now" is on the line of a token's life. */
function moveNow() {
  for (const now of document.querySelectorAll('[data-now-from]')) {
    const { nowFrom, nowTo } = now.dataset;
    const share = (Date.now() - Number(nowFrom)) / (Number(nowTo) - Number(nowFrom));
    const passed = `${Math.min(1, Math.max(0, share)) * 100}%`;
    const line = now.parentElement;
    now.setAttribute('x', passed);
    line.querySelector('.passed').setAttribute('width', passed);
    line.ariaLabel = line.ariaLabel.replace(/^\d+/, Math.round(parseFloat(passed)));
  }
}

function update() {
  for (const time of countdowns) {
    const ms = endOf(time) - Date.now();
    const text = ms > 0 ? left(ms) : time.dataset.countdown || 'now';
    if (time.textContent !== text) time.textContent = text;
    if (ms <= 0 && 'reload' in time.dataset) reloadOnce(); // only while the page is visible
  }
  moveNow();
}

let timer;
let isReloading = false;
/** A second reload would end the first, so that a page that takes longer than a tick would never come. */
function reloadOnce() {
  if (isReloading) return;
  isReloading = true;
  clearInterval(timer);
  location.reload();
}

function tickWhileVisible() {
  clearInterval(timer);
  if (document.hidden || isReloading) return;
  timer = setInterval(update, 1000);
  update();
}

if (countdowns.length > 0) {
  document.addEventListener('visibilitychange', tickWhileVisible);
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return; // as it was left, by the Back button
    isReloading = false;
    tickWhileVisible();
  });
  tickWhileVisible();
}

const canCopy = navigator.clipboard !== undefined; // only in a secure context
for (const button of document.querySelectorAll('button[data-copy]')) button.hidden = !canCopy;
document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('button[data-copy]');
  if (!button) return;
  const words = button.firstChild;
  const name = (button.dataset.words ??= words.textContent); // a second click finds "Copied"
  await navigator.clipboard.writeText(button.dataset.copy).then(
    () => (words.textContent = 'Copied'),
    () => (words.textContent = 'Not allowed'),
  );
  setTimeout(() => (words.textContent = name), 2000);
});

// An open menu closes by Escape, when the focus leaves it, and by a click elsewhere, which then does nothing else.
for (const menu of document.querySelectorAll('details.filter')) {
  const summary = menu.querySelector('summary');
  menu.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget !== null && !menu.contains(relatedTarget)) menu.open = false;
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    summary.focus();
  });
  document.addEventListener(
    'click',
    (event) => {
      if (!menu.open || menu.contains(event.target)) return;
      menu.open = false;
      if (event.detail > 0) event.preventDefault(); // of a pointer: Enter on a link means the link
    },
    true,
  );
}

/** While a slow page loads: a thin bar, and a second click on the same link does nothing. */
const SECOND_CLICK_MS = 2000; // later it is meant: the first one was stopped, or is too slow
let leaving;
function leave(href) {
  const mine = (leaving = { href, sinceMs: Date.now() });
  setTimeout(() => leaving === mine && document.body.classList.add('loading'), 250);
}
function stay() {
  leaving = undefined;
  document.body.classList.remove('loading');
}
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]');
  const isOrdinary =
    event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || event.defaultPrevented || !isOrdinary || link.target !== '') return;
  const href = link.href.baseVal ?? link.href; // a link inside an SVG
  const { origin, pathname, search, hash, protocol } = new URL(href, location.href);
  if (origin !== location.origin || !protocol.startsWith('http')) return;
  if (hash !== '' && pathname === location.pathname && search === location.search) return;
  if (leaving?.href === href && Date.now() - leaving.sinceMs < SECOND_CLICK_MS)
    return event.preventDefault();
  leave(href);
});
document.addEventListener('submit', (event) => {
  setTimeout(() => event.defaultPrevented || leave(event.target.action)); // a script may send it
});
addEventListener('pageshow', stay);
// Stopped by the reader: by Escape, or by the browser's button, which not every browser reports.
document.addEventListener('keydown', ({ key }) => key === 'Escape' && stay());
window.navigation?.addEventListener('navigate', ({ signal, destination }) =>
  signal.addEventListener('abort', () => destination.url === leaving?.href && stay()),
);
