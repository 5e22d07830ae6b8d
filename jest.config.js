// Jest runs CommonJS: swc compiles ours and the packages that ship ES modules only.
const esmOnly = ['oauth4webapi', 'jose', 'oidc-provider'];

export default {
  testEnvironment: 'node',
  maxWorkers: '100%',
  // Each suite has a context of its own, in which every look at a global is slow: these are arguments.
  sandboxInjectedGlobals: ['Math', 'Object', 'Array', 'Promise', 'Map', 'Set', 'Number', 'String'],
  workerIdleMemoryLimit: '350MB', // a worker grown large is slow: a new one is cheaper
  testSequencer: '<rootDir>/test/support/longest-first.js',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/support/retry-in-ci.ts'],
  testTimeout: 60_000, // a slow machine is no failure
  transform: {
    '^.+\\.(t|j|mj)s$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};
