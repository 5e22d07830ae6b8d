export interface Mismatch {
  sent: string;
  /** What differs from the nearest registered one, between what is equal at both ends. */
  parts: { before: string; sent: string; registered: string; after: string };
  nearest: string;
  others: string[];
}

/**
 * The registered redirect URI that is nearest to the one that was sent, and where the two differ.
 */
export function mismatchOf(sent: string, registered: readonly string[]): Mismatch | undefined {
  const [nearest, ...others] = [...registered].sort(
    (a, b) => lengthInCommon(sent, b) - lengthInCommon(sent, a),
  );
  if (sent === '' || nearest === undefined || registered.includes(sent)) return undefined;
  const before = commonStart(sent, nearest);
  const [sentRest, registeredRest] = [sent.slice(before.length), nearest.slice(before.length)];
  const after = reversed(commonStart(reversed(sentRest), reversed(registeredRest)));
  const middle = (rest: string): string => rest.slice(0, rest.length - after.length);
  return {
    sent,
    parts: { before, sent: middle(sentRest), registered: middle(registeredRest), after },
    nearest,
    others,
  };
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return a.slice(0, length);
}

const reversed = (text: string): string => Array.from(text).reverse().join('');

const lengthInCommon = (a: string, b: string): number =>
  commonStart(a, b).length + commonStart(reversed(a), reversed(b)).length;
