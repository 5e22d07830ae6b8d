/**
 * Two columns of a terminal each: the wide ones of UAX #11, and half-width kana with a sound mark.
 */
const WIDE =
  /^(?:[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|.[\uff9e\uff9f])/u;
const segmenter = new Intl.Segmenter();
const lettersOf = (line: string): string[] =>
  Array.from(segmenter.segment(line), ({ segment }) => segment);
export const widthOf = (line: string): number =>
  /^[ -~]*$/.test(line)
    ? line.length
    : lettersOf(line).reduce((sum, letter) => sum + (WIDE.test(letter) ? 2 : 1), 0);

/** Cuts a line that is too wide, with an ellipsis, between letters as people see them. */
export function cut(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let shown = '';
  let free = width - 1; // the rest is for the ellipsis
  for (const letter of lettersOf(line)) {
    free -= widthOf(letter);
    if (free < 0) break;
    shown += letter;
  }
  return `${shown}…`;
}

/** In parts, none wider than `width`. */
export function broken(line: string, width: number): string[] {
  if (widthOf(line) <= width) return [line];
  const parts: string[] = [];
  let part = '';
  for (const letter of lettersOf(line)) {
    if (widthOf(part + letter) > width) {
      parts.push(part);
      part = '';
    }
    part += letter;
  }
  return [...parts, part];
}
