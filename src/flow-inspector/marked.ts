import { hashOfMask, MASKED } from './masking.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

/** HTML in which equal secrets can be told: each in an element that names its hash. */
export function marked(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
    .replace(
      MASKED,
      (secret) =>
        `<span class="mask" tabindex="0" data-mask="${hashOfMask(secret)}">${secret}</span>`,
    );
}
