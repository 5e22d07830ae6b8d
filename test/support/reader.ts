import { formats } from '../../src/web/pages/formats.js';
import type { Reader } from '../../src/web/pages/reader.js';

export const UNKNOWN_READER: Reader = { formats, nowMs: 0 };
