/** Secure contexts from PEM texts and the keys of a config, and what is wrong with them in words. */
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import type { ClientTlsConfig, ServerTlsConfig } from './config.ts';
import type { TlsFiles, TlsMaterial } from './files.ts';

const tls = process.getBuiltinModule('node:tls');
const { X509Certificate } = process.getBuiltinModule('node:crypto');

/** The files of a server's `tls`. */
export function serverFiles({ certPath, intermediateCertsPath, keyPath, caCertPath }: ServerTlsConfig): TlsFiles {
  return { cert: present(certPath, intermediateCertsPath), key: [keyPath], ca: present(caCertPath) };
}

/** The files of a client's `tls`. */
export function clientFiles({ clientAuth, trustCerts = [], trustCertsBundle }: ClientTlsConfig): TlsFiles {
  return {
    cert: present(clientAuth?.certPath, clientAuth?.intermediateCertsPath),
    key: present(clientAuth?.keyPath),
    ca: present(trustCertsBundle, ...trustCerts),
  };
}

export function serverContextOptions(
  { ciphers, protocols }: ServerTlsConfig,
  material: TlsMaterial,
): SecureContextOptions {
  // Ciphers of TLS 1.3 and of older versions may stand in one list.
  return { ...material, ...versions(protocols), ...(ciphers === undefined ? {} : { ciphers: ciphers.join(':') }) };
}

export function clientContextOptions({ protocols }: ClientTlsConfig, material: TlsMaterial): SecureContextOptions {
  return { ...material, ...versions(protocols) };
}

/** Why no context can be made of what `options` gives, which may throw; undefined: nothing is wrong. */
export function contextProblem(options: () => SecureContextOptions): string | undefined {
  try {
    const { cert, ca, ...others } = options();
    // OpenSSL passes over a file without a certificate, and then fails every handshake.
    for (const [text, what] of [
      [cert, 'the certificate file'],
      [ca, 'the file of authorities'],
    ] as const) {
      if (text !== undefined && certificatesIn(String(text)) === 0) return `there is no PEM certificate in ${what}`;
    }
    tls.createSecureContext({ ...others, cert, ca });
    return undefined;
  } catch (error) {
    return explained(error as NodeJS.ErrnoException);
  }
}

/** When the first certificate of a PEM text ceases to be valid, ms since 1970; NaN where there is none. */
export function validUntil(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

function certificatesIn(pem: string): number {
  return pem.match(/-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/g)?.length ?? 0;
}

function versions(protocols: readonly SecureVersion[] | undefined) {
  if (protocols === undefined) return {};
  const sorted = [...protocols].sort();
  return { minVersion: sorted[0], maxVersion: sorted.at(-1) };
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the private key is not that of the certificate',
  ERR_OSSL_BAD_DECRYPT: 'the private key is encrypted; store it without a passphrase',
  ERR_OSSL_PEM_NO_START_LINE: 'a file has no PEM block (is it DER?)',
  ERR_OSSL_UNSUPPORTED: 'the private key is none in PEM',
  ERR_SSL_NO_CIPHER_MATCH: 'none of the ciphers is known; write OpenSSL or IANA names',
};

function explained(error: NodeJS.ErrnoException): string {
  return EXPLANATIONS[error.code ?? ''] ?? error.message;
}

function present(...paths: readonly (string | undefined)[]): string[] {
  return paths.filter((path) => path !== undefined);
}
