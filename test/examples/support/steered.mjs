// Preloaded into a process under test: messages move its clock and make its storage fail.
const now = Date.now;
let skippedMs = 0;
Date.now = () => now() + skippedMs;

process.on('message', ({ skipMs = 0, writesFail = globalThis.writesFail }) => {
  skippedMs += skipMs;
  globalThis.writesFail = writesFail;
  process.send('done');
});
