// Plays a scene without leaving the page. Without this script, and when a request fails, the form is posted.
const progress = document.querySelector('[data-progress]');

function show(scene, state) {
  document.getElementById(scene).dataset.state = state;
  document.querySelector(`[data-link="${scene}"]`).dataset.state = state;
}

/** The server's response to a scene that was played; `undefined` when the form must be posted. */
async function ask(form) {
  const response = await fetch(form.action, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams(new FormData(form)),
  }).catch(() => undefined);
  return response?.ok ? await response.json() : undefined;
}

async function play(form) {
  const scene = form.dataset.tour;
  const result = form.parentElement.querySelector('.result');
  const before = form.parentElement.dataset.state;
  show(scene, 'running');
  result.style.minHeight = `${result.offsetHeight}px`; // what is below stays where it is
  result.firstElementChild.textContent = 'Playing …';
  const answer = await ask(form);
  if (answer === undefined) return form.submit();
  if (answer.html === undefined) return location.assign(answer.goTo);
  result.innerHTML = answer.html;
  show(scene, answer.state ?? before);
  progress.textContent = answer.progress;
  if (answer.goTo !== undefined) location.assign(answer.goTo);
}

document.querySelector('.scenes').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (document.querySelector('.scene[data-state="running"]') !== null) return; // one at a time
  await play(event.target);
});

// Back from a scene that led away: without a reload it would stay "running" for ever.
addEventListener('pageshow', (event) => event.persisted && location.reload());
