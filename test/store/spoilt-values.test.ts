/// <reference types="jest" />
import { startRedis } from '../support/redis-server.js';
import { describeSpoiltValues } from '../support/spoilt-values.js';

jest.setTimeout(30_000);

describeSpoiltValues({ runs: 10, startRedis });
