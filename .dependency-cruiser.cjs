// Who may import whom: the table of docs/architecture.md. `only(from, to)` turns a line of it into a rule.
const layer = (name) => `^src/${name}(\\.ts$|/)`;
const leaves = ['errors', 'events', 'tracing', 'config', 'secret', 'wrap'];

function only(from, allowed, comment) {
  const to = [from, ...allowed, ...leaves].map(layer);
  return {
    name: `${from}-imports`,
    severity: 'error',
    comment,
    from: { path: layer(from) },
    to: { path: '^src/', pathNot: to },
  };
}

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'data flows one way',
      from: { path: '^(src|sandbox)/' },
      to: { circular: true },
    },
    only('main', ['services', 'app', 'server'], 'main starts things; it decides nothing'),
    only(
      'server',
      ['in-turns', 'one-at-a-time', 'until-accepted'],
      'the HTTP server takes any app',
    ),
    {
      name: 'services-imports',
      severity: 'error',
      comment: 'services builds everything but the web',
      from: { path: layer('services') },
      to: { path: ['^src/web/(?!session)', '^src/app', '^src/main'] },
    },
    only(
      'app',
      ['web', 'services', 'flow-inspector', 'webhooks', 'tour', 'explorer'],
      'app is an order of middleware; what they need arrives in services',
    ),
    only(
      'web',
      ['core', 'getbill', 'limits', 'oauth-explanations', 'error-facts'],
      'web reads requests and answers; it builds no service',
    ),
    {
      name: 'core-imports',
      severity: 'error',
      comment: 'the essence stands alone: copied out of here it still works',
      from: { path: '^src/core/' },
      to: { path: '^src/', pathNot: '^src/core/' },
    },
    only(
      'redis',
      ['core'],
      'connections by topology, TLS and password file: the core takes any ioredis client',
    ),
    only('limits', ['core'], 'limits count in the storage port'),
    only('getbill', ['core', 'limits'], 'the API knows tokens only as an argument'),
    only('oauth-explanations', [], 'one table, read by page, log, command line and doctor'),
    only('error-facts', [], 'one table, read by page, document and command line'),
    only('telemetry', ['oauth-explanations'], 'readers of events know nothing else'),
    only('flow-inspector', ['web', 'core'], 'an optional room'),
    only('tour', ['web', 'core', 'getbill'], 'an optional room'),
    only('explorer', ['web', 'core', 'getbill'], 'an optional room'),
    only('webhooks', ['web', 'core', 'getbill', 'limits', 'redis'], 'an optional room'),
    only(
      'cli',
      [
        'services',
        'redis',
        'getbill',
        'core',
        'limits',
        'oauth-explanations',
        'error-facts',
        'webhooks',
      ],
      'a command line is another main; the doctor builds part by part, because services start only when all is well',
    ),
    {
      name: 'leaves',
      severity: 'error',
      comment: 'the vocabulary knows nobody',
      from: { path: leaves.slice(0, 3).map(layer) },
      to: { path: '^src/', pathNot: [...leaves.map(layer), '^src/core/(errors|events)'] },
    },
    {
      name: 'config-knows-only-errors',
      severity: 'error',
      comment: 'config is parsed before anything exists',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: ['^src/(config/|errors|secret|core/errors)'] },
    },
    {
      name: 'routes-and-middleware-apart',
      severity: 'error',
      comment: 'they meet in app.ts',
      from: { path: '^src/web/(routes|middleware)/' },
      to: { path: '^src/web/(routes|middleware)/' },
    },
    {
      name: 'web-takes-no-adapters',
      severity: 'error',
      comment: 'web takes the storage port as a type, never an adapter',
      from: { path: '^src/web/' },
      to: { path: '^src/core/storage/', pathNot: '^src/core/storage/key-value' },
    },
    {
      name: 'core-packages',
      severity: 'error',
      comment: 'the core works in any framework: it needs oauth4webapi, and ioredis only for Redis',
      from: { path: '^src/core/' },
      to: { path: 'node_modules/', pathNot: 'node_modules/(oauth4webapi|ioredis|@types/node)/' },
    },
    {
      name: 'ioredis-is-optional',
      severity: 'error',
      comment: 'without Redis the core needs no ioredis',
      from: { path: '^src/core/', pathNot: '^src/core/storage/redis' },
      to: { path: 'node_modules/ioredis/' },
    },
    {
      name: 'sandbox-apart',
      severity: 'error',
      comment: 'the sandbox must not share a bug with the app',
      from: { path: '^sandbox/' },
      to: { path: '^src/' },
    },
    {
      name: 'app-without-sandbox',
      severity: 'error',
      comment: 'nothing of the sandbox goes into production',
      from: { path: '^src/' },
      to: { path: '^(sandbox|test|scripts)/' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      comment: 'npm ci --omit=dev must be enough',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: ['node_modules/@types/'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
