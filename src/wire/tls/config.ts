/**
 * `tls` of servers and of clients of the control side (reference/tls.md sections 1 and 2). What a start would refuse is refused when
 * the config is read: a key that is not that of the certificate, a file without a certificate.
 */
import type { z as Zod } from 'zod';
import type { Z } from '../../config/kind.ts';
import { optional, required } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';
import { clientContextOptions, clientFiles, contextProblem, serverContextOptions, serverFiles } from './context.ts';
import { readMaterialSync } from './files.ts';

const PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type TlsProtocol = (typeof PROTOCOLS)[number];

function protocols(z: Z) {
  return optional(
    z.array(scalars.oneOf(z, PROTOCOLS)).min(1),
    'Versions that may be spoken, from the lowest to the highest named; none: 1.2 and 1.3.',
  );
}

export function serverTlsSchema(z: Z) {
  return z
    .strictObject({
      certPath: required(scalars.file(z), 'The certificate, PEM; the chain may follow in the same file.'),
      keyPath: required(scalars.file(z), 'Its private key, PEM.'),
      intermediateCertsPath: optional(scalars.file(z), 'The chain that is sent with the certificate, PEM.'),
      caCertPath: optional(
        scalars.file(z),
        'Authorities whose client certificates are believed, PEM; none: the public ones.',
      ),
      requireClientAuth: optional(scalars.bool(z), 'Refuse clients without a certificate that is believed.', false),
      ciphers: optional(z.array(scalars.string(z)).min(1), 'Cipher suites, by their OpenSSL or IANA names.'),
      protocols: protocols(z),
    })
    .superRefine((config, context) => {
      const problem = contextProblem(() => serverContextOptions(config, readMaterialSync(serverFiles(config))));
      if (problem !== undefined) context.addIssue({ code: 'custom', path: ['certPath'], message: problem });
    });
}

export type ServerTlsConfig = Zod.infer<ReturnType<typeof serverTlsSchema>>;

export function clientTlsSchema(z: Z) {
  return z
    .strictObject({
      enabled: optional(scalars.bool(z), 'false: without TLS.', true),
      disableValidation: optional(
        scalars.bool(z),
        'Believe any certificate: whoever sits between reads and changes all.',
        false,
      ),
      commonName: optional(
        scalars.string(z),
        'The name that the certificate must be for, and that is asked for (SNI).',
      ),
      trustCertsBundle: optional(scalars.file(z), 'Authorities that are believed, PEM; none: the public ones.'),
      trustCerts: optional(z.array(scalars.file(z)), 'Read for compatibility: files that make up such a bundle.'),
      clientAuth: optional(
        z.strictObject({
          certPath: required(scalars.file(z), 'The certificate to show, PEM.'),
          keyPath: required(scalars.file(z), 'Its private key, PEM.'),
          intermediateCertsPath: optional(scalars.file(z), 'The chain that is sent with it, PEM.'),
        }),
        'The certificate of this client.',
      ),
      protocols: protocols(z),
    })
    .superRefine((config, context) => {
      const report = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
      if (config.enabled === false) return;
      if (config.disableValidation !== true && config.commonName === undefined) {
        report(['commonName'], 'missing: add the name that the certificate is for, or `disableValidation: true`');
      }
      if (config.trustCerts !== undefined && config.trustCertsBundle !== undefined) {
        report(['trustCerts'], 'stands beside trustCertsBundle; write trustCertsBundle alone');
      }
      const problem = contextProblem(() => clientContextOptions(config, readMaterialSync(clientFiles(config))));
      if (problem !== undefined) {
        report([config.clientAuth === undefined ? 'trustCertsBundle' : 'clientAuth'], problem);
      }
    });
}

export type ClientTlsConfig = Zod.infer<ReturnType<typeof clientTlsSchema>>;
