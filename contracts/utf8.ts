/** The bytes of a code point in UTF-8. A lone surrogate is sent as the three bytes of the replacement character. */
export function utf8BytesOf(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint > 0xffff ? 4 : 3;
}
