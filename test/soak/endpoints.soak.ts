import { describeMatching } from '../support/endpoint-property.js';

describeMatching({ runs: 10_000 });
