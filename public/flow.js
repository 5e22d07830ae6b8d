// Brings new steps into the page as they happen, opens steps in place, and marks equal secrets. Without it: links.
const log = document.querySelector('[data-flow-live]');
