import type { HttpExchange } from '../tracing.js';
import { MASKED, maskedParameters, maskedUrl, type Mask } from './masking.js';

/** A call to GetBill as a command. Its secrets are shell variables: whoever has them sets them. */
export function curlOf({ method, headers, body }: HttpExchange, url: URL, mask: Mask): string {
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}${quoted(maskedUrl(url, mask))}`];
  if (headers['authorization'] === undefined) {
    const form = new URLSearchParams(String(body ?? ''));
    lines.push(...maskedParameters(form, mask).map(parameterOption));
  } else {
    lines.push(`-H "Authorization: Bearer $ACCESS_TOKEN"`, `-H 'Accept: application/json'`);
    if (body !== undefined) lines.push(`-H 'Content-Type: application/json' -d @body.json`);
  }
  return lines.join(' \\\n  ');
}

function parameterOption([name, value]: [string, string]): string {
  const isSecret = value.match(MASKED) !== null;
  return isSecret
    ? `-d "${name}=$${name.toUpperCase()}"`
    : `--data-urlencode ${quoted(`${name}=${value}`)}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
