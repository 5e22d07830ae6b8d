/** What belongs to an optional room and to nothing else. */
export interface Room {
  /** Files and folders; `*` stands for any part of a file's name. */
  readonly files: readonly string[];
  /** Its rows in `web/pages/pages.ts` and in docs/routes.md begin with these. */
  readonly paths: readonly string[];
  /** Set by `npm run demo` for this room. */
  readonly demoSettings: readonly string[];
}

/** The one table of rooms: everything else that names a room is found by what it imports. */
export const rooms: Readonly<Record<string, Room>> = {
  'flow-inspector': {
    files: [
      'src/flow-inspector',
      'views/pages/flow.ejs',
      'views/partials/flow-*.ejs',
      'public/flow.*',
      'test/flow',
      'test/soak/flow*.soak.ts',
    ],
    paths: ['/flow'],
    demoSettings: ['FLOW_INSPECTOR'],
  },
  webhooks: {
    files: [
      'src/webhooks',
      'src/cli/doctor/webhooks.ts',
      'views/pages/events.ejs',
      'views/partials/changes.ejs',
      'public/changes.js',
      'test/webhooks',
      'test/browser/webhooks.soak.ts',
      'test/soak/webhooks.soak.ts',
      'docs/webhooks.md',
    ],
    paths: ['/events', '/webhooks'],
    demoSettings: [],
  },
  explorer: {
    files: [
      'src/explorer',
      'views/pages/explorer*.ejs',
      'public/explorer.*',
      'test/explorer',
      'test/soak/explorer.soak.ts',
    ],
    paths: ['/explorer'],
    demoSettings: [],
  },
  tour: {
    files: [
      'src/tour',
      'views/pages/tour.ejs',
      'views/partials/tour-*.ejs',
      'public/tour.*',
      'test/tour',
      'test/soak/tour.soak.ts',
      'docs/images/tour.webp',
    ],
    paths: ['/tour'],
    demoSettings: ['TOUR'],
  },
};
