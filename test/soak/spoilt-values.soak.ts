import { startRedis } from '../support/redis-server.js';
import { describeSpoiltValues } from '../support/spoilt-values.js';

jest.setTimeout(300_000);

describeSpoiltValues({ runs: 1_000, startRedis });
