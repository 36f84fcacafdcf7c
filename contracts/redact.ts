/** Removes keys from a vendor's message before a caller sees it. */

/** Shorter secrets are placeholders such as `none`; replacing them would garble words. */
const SECRET_CHARS = 8;
/** Longer than any key. Without an end, a run of millions of characters overflows the matcher's stack. */
const KEY_CHARS = 8_192;
/** Keys of other accounts, and keys that a vendor has shortened or masked, by the vendors' key formats. */
const KEY_FORMS = new RegExp(
  [
    String.raw`\b(?:sk|pk|rk|key|ub|gsk|xai|nvapi|hf|r8|pplx|csk|fw|tgp|ghp)[-_][A-Za-z0-9_*-]{6,${KEY_CHARS}}`,
    String.raw`\bAIza[\w*.-]{8,${KEY_CHARS}}`,
    String.raw`\bya29\.[\w.-]{8,${KEY_CHARS}}`,
    String.raw`\b(?:AKIA|ASIA)[A-Z0-9*]{8,${KEY_CHARS}}`,
    String.raw`\beyJ[\w-]{8,${KEY_CHARS}}(?:\.[\w-]{0,${KEY_CHARS}}){0,2}`,
  ].join('|'),
  'g',
);

export function redact(text: string, secrets: readonly string[]): string {
  const withoutOurs = secrets
    .filter(({ length }) => length >= SECRET_CHARS)
    .reduce((rest, secret) => rest.replaceAll(secret, '[key]'), text);
  return withoutOurs.replace(KEY_FORMS, '[key]');
}

/** The keys of all providers. */
export function secretsIn(
  keys: Readonly<Record<string, readonly { readonly secret: string | undefined }[]>>,
): string[] {
  return Object.values(keys).flatMap((ofOne) => ofOne.flatMap(({ secret }) => secret ?? []));
}
