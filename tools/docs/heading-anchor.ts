/** The anchor of a heading, as GitHub names it, so that a link works there and on the site. */
export function headingAnchor(title: string): string {
  return title
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}
