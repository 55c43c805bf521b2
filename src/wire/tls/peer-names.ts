/** The names of a client's certificate, by which it is authenticated. */
import type { TLSSocket } from 'node:tls';

const { X509Certificate } = process.getBuiltinModule('node:crypto');

/** The names of the certificate that a client showed, if it is believed; none otherwise. */
export function peerNames(socket: TLSSocket): readonly string[] {
  if (!socket.authorized) return [];
  const { raw } = socket.getPeerCertificate() ?? {};
  return raw === undefined ? [] : certificateNames(raw);
}

/** The common name, and the DNS names and URIs among the alternative names, of a certificate in DER. */
export function certificateNames(der: Buffer): readonly string[] {
  const certificate = new X509Certificate(der);
  const { CN } = certificate.toLegacyObject().subject as { CN?: string | string[] };
  const names = new Set<string>();
  // Of several common names it is unclear which is meant.
  if (typeof CN === 'string') names.add(CN);
  for (const name of alternativeNames(certificate.subjectAltName ?? '')) names.add(name);
  return [...names];
}

/**
 * `DNS:a.example, URI:spiffe://a/b`. Node puts a value in quotes that holds what separates the entries, so that nobody can write two
 * names as one; such a value is no name of a host or a workload, and is left out.
 */
function* alternativeNames(text: string): Generator<string> {
  for (const [, kind, value = ''] of text.matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)) {
    if ((kind === 'DNS' || kind === 'URI') && !value.startsWith('"')) yield value;
  }
}
