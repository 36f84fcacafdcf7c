/** Where a server of this machine listens, as a URL: an IPv6 address stands in brackets there. */
export function addressUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
