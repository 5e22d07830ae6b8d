/** Two columns of a terminal each. */
const WIDE = /^[\p{Emoji_Presentation}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}！-｠]/u;
const segmenter = new Intl.Segmenter();
const lettersOf = (line: string): string[] =>
  Array.from(segmenter.segment(line), ({ segment }) => segment);
export const widthOf = (line: string): number =>
  /^[ -~]*$/.test(line)
    ? line.length
    : lettersOf(line).reduce((sum, letter) => sum + (WIDE.test(letter) ? 2 : 1), 0);

/** Ends with an ellipsis where it was too wide: between letters as people see them, never inside one. */
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
