// `npm run test:soak`: proofs that need minutes of real time, one after the other.
import config from './jest.config.js';

export default { ...config, testMatch: ['**/*.soak.ts'], testTimeout: 300_000, maxWorkers: 1 };
