import type { GetbillConfig } from '../../config/config.js';
import { pass, type Result } from './check.js';

export interface Place {
  readonly url: URL;
  readonly variable: string;
}

/** Each host once, with the variable to correct. */
export function placesOf({ authorizeUrl, tokenUrl, apiUrl }: GetbillConfig): Place[] {
  const all = [
    { url: tokenUrl, variable: 'GETBILL_TOKEN_URL' },
    { url: authorizeUrl, variable: 'GETBILL_AUTHORIZE_URL' },
    { url: apiUrl, variable: 'GETBILL_API_URL' },
  ];
  const distinct = all.filter(
    ({ url }, index) => all.findIndex((one) => one.url.origin === url.origin) === index,
  );
  const [only] = distinct;
  return only !== undefined && distinct.length === 1
    ? [{ ...only, variable: 'GETBILL_BASE_URL' }]
    : distinct;
}

export const tlsPlacesOf = (config: GetbillConfig): Place[] =>
  placesOf(config).filter(({ url }) => url.protocol === 'https:');

/**
 * The first failure, else the first warning, else that all is well; `undefined` without any place.
 */
export async function examineAll(
  places: Place[],
  look: (place: Place) => Promise<Result>,
): Promise<Result | undefined> {
  const results = await Promise.all(places.map(look));
  if (results.length === 0) return undefined;
  return (
    results.find(({ verdict }) => verdict === 'fail') ??
    results.find(({ verdict }) => verdict === 'warn') ??
    pass(results.map(({ detail }) => detail).join('; '))
  );
}
