declare module 'spdx-satisfies' {
  /** @throws Error if one of them is no SPDX expression. */
  export default function satisfies(expression: string, approved: readonly string[]): boolean;
}
