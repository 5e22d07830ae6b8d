// Makes times live: local to the reader, and counting down while the page is looked at. Everything reads well without it.
const localTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

for (const time of document.querySelectorAll('time[data-local]')) {
  const date = new Date(time.dateTime);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(time.dateTime); // without one, the server's reading stands
  if (hasZone && !Number.isNaN(date.getTime())) time.textContent = localTime.format(date);
}

const countdowns = document.querySelectorAll('time[data-countdown]');

function left(ms) {
  const seconds = Math.ceil(ms / 1000);
  const two = (number) => String(number).padStart(2, '0');
  if (seconds >= 3600) return `in ${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  if (seconds >= 60) return `in ${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `in ${seconds} s`;
}

function update() {
  for (const time of countdowns) {
    const ms = Date.parse(time.dateTime) - Date.now();
    const text = ms > 0 ? left(ms) : time.dataset.countdown || 'now';
    if (time.textContent !== text) time.textContent = text;
  }
}

let timer;
function tickWhileVisible() {
  clearInterval(timer);
  if (document.hidden) return;
  update();
  timer = setInterval(update, 1000);
}

if (countdowns.length > 0) {
  document.addEventListener('visibilitychange', tickWhileVisible);
  tickWhileVisible();
}
