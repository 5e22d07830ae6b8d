const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** The results as the tables of docs/performance.md. */
export function report({ date, node, calls, others, storm, growth }) {
  return [
    `Measured ${date}, Node ${node}. Absolute figures depend on the machine; the ratios are medians over rounds that alternate.`,
    table(
      ['', 'CPU per call', 'to floor', 'requests/s', 'to floor', 'p50', 'p99', 'errors'],
      calls.map((one) => [one.name, `${one.cpuUs.toFixed(0)} us`, one.cpuToFloor.toFixed(2), one.perSecond.toFixed(0), one.perSecondToFloor.toFixed(2), `${one.p50Ms.toFixed(1)} ms`, `${one.p99Ms.toFixed(1)} ms`, one.errors]), // prettier-ignore
    ),
    table(
      ['', 'CPU each', 'per second'],
      [
        [
          'dashboard page',
          `${others.dashboard.cpuUs.toFixed(0)} us`,
          others.dashboard.perSecond.toFixed(0),
        ],
        ['sign-in (login, callback, one call)', `${others.signIn.cpuUs.toFixed(0)} us`, others.signIn.perSecond.toFixed(0)], // prettier-ignore
      ],
    ),
    `Storm: ${storm.sessions} sessions in the same ten seconds: ${storm.renewals} renewals, ${(storm.renewals / 10).toFixed(0)} a second; p99 ${storm.during.p99Ms.toFixed(1)} ms, without ${storm.without.p99Ms.toFixed(1)} ms, ratio ${storm.p99Ratio.toFixed(2)}; ${storm.during.errors} errors.`,
    table(
      ['sessions in Redis', 'CPU per call', 'memory of the process'],
      growth.bySessions.map(({ count, cpuUs, appMb }) => [
        count,
        `${cpuUs.toFixed(0)} us`,
        `${appMb.toFixed(0)} MB`,
      ]),
    ),
    `In Redis a session takes ${growth.redisKbPerSession.toFixed(2)} KB, its tokens included.`,
    table(
      ['processes', 'requests/s', 'CPU per call'],
      growth.byProcesses.map((one) => [
        one.processes,
        one.perSecond.toFixed(0),
        `${one.cpuUs.toFixed(0)} us`,
      ]),
    ),
  ].join('\n\n');
}
