/**
 * Clouds name the nodes of a cluster by their addresses, while the certificates of these nodes are for the name with
 * which the cluster is reached.
 */
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/**
 * How each node of a cluster is connected, where its first URL says so: by TLS. A node that is named by an address may
 * have the certificate of a name in the URLs.
 */
export function clusterTls(urls: readonly string[]) {
  const parsed = urls.map((url) => new URL(url));
  if (parsed[0]?.protocol !== 'rediss:') return {};
  const names = parsed.map(({ hostname }) => hostname).filter((name) => isIP(name) === 0);
  return {
    tls: true as const,
    checkServerIdentity: (host: string, certificate: PeerCertificate) => {
      const fault = checkServerIdentity(host, certificate);
      const isNamed = () => names.some((name) => checkServerIdentity(name, certificate) === undefined);
      return fault !== undefined && isIP(host) !== 0 && isNamed() ? undefined : fault;
    },
  };
}
