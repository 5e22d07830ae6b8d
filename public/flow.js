// Looks for new steps while the page is looked at, and puts the server's own drawing in. Without it there is "Refresh".
async function look() {
  const counter = document.querySelector('[data-flow-last]');
  if (document.hidden || counter === null) return;
  const answer = await fetch(`/flow/steps?after=${counter.dataset.flowLast}`).catch(() => undefined);
  if (!answer?.ok || (await answer.json()).steps.length === 0) return;
  const page = new DOMParser().parseFromString(await (await fetch('/flow')).text(), 'text/html');
  const open = new Set([...document.querySelectorAll('details[open]')].map((one) => one.parentElement.value));
  for (const item of page.querySelectorAll('.flow-steps li')) {
    if (open.has(item.value)) item.querySelector('details').open = true;
  }
  document.querySelector('main').replaceChildren(...page.querySelector('main').childNodes);
}

setInterval(look, 2000);
