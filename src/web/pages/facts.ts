/** One line of a list of facts. */
export interface Fact {
  readonly label: string;
  /** Missing: "Not given". */
  readonly text: string | undefined;
  readonly iso?: string | undefined;
  readonly isCode?: boolean;
  /** With a button that copies it. */
  readonly canCopy?: boolean;
  /** An address, a number to call, a page. */
  readonly href?: string | undefined;
}

/** Only what is plainly one address: no second recipient, no subject, no body. */
export function mailHref(email: string | undefined): string | undefined {
  const isPlain = email !== undefined && /^[\w.+-]{1,64}@[A-Za-z0-9.-]{1,253}$/.test(email);
  return isPlain ? `mailto:${email}` : undefined;
}

export function phoneHref(phone: string | undefined): string | undefined {
  const digits = phone?.replace(/[\s().-]/g, '') ?? '';
  return /^\+?\d{3,20}$/.test(digits) ? `tel:${digits}` : undefined;
}

/**
 * Only a web page over TLS, never `javascript:` or a form of it, and with its host in front:
 * "https://getbill.io@evil.example" is evil's.
 */
export function pageHref(url: string | undefined): string | undefined {
  if (url === undefined || !/^https:\/\/[^@/\\]+([/?#]|$)/i.test(url) || !URL.canParse(url))
    return undefined;
  return new URL(url).href;
}
