/** The SDK adds the version of the API by itself, and some servers name it in their address. */
export function anthropicBaseUrl(baseUrl: string | undefined): string | undefined {
  return baseUrl?.replace(/\/v1\/?$/, '');
}
