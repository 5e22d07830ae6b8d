import type { TokensOptions } from '../../src/core/tokens/context.js';
import { createParts } from '../../src/core/tokens/parts.js';
import { createTokenManager } from '../../src/core/tokens/token-manager.js';

export const createTokens = (options: TokensOptions) => createTokenManager(createParts(options));
