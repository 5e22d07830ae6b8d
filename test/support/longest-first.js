// The order of the suites: the long ones first, in workers that are still small and fast, so that the short ones fill what is left.
const LONG = ['renewal/model', 'process/storm', 'webhooks/pages', 'security/sessions'];

export default class LongestFirst {
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONG.findIndex((name) => path.includes(name));
      return place === -1 ? LONG.length : place;
    };
    return [...tests].sort((a, b) => rank(a) - rank(b) || a.path.localeCompare(b.path));
  }

  /** Nothing is remembered from run to run: every run has the same order. */
  cacheResults() {}
  allFailedTests(tests) {
    return tests;
  }
  shard(tests) {
    return tests;
  }
}
