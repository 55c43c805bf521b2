/**
 * `auth` (of ours) of a control-side server: who may ask, and which namespaces each may read and write.
 *
 *     auth:
 *       tokensPath: /etc/namerd/tokens        # lines of NAME TOKEN
 *       grants:
 *       - name: ci                            # of a token, or of a client's certificate
 *         write: [staging, prod-*]
 *       - name: '*'                           # whoever has proven any name
 *         read: ['*']
 */
import type { z as Zod } from 'zod';
import type { Z } from '../../config/kind.ts';
import { optional, required } from '../../config/kinds.ts';
import * as scalars from '../../config/scalars.ts';

export function authSchema(z: Z) {
  const namespaces = z.array(namespacePattern(z));
  return z.strictObject({
    tokensPath: optional(
      scalars.file(z),
      'File of bearer tokens, a line `NAME TOKEN` for each; it is watched. None: names come from client certificates alone.',
    ),
    grants: required(
      z
        .array(
          z.strictObject({
            name: required(
              scalars.string(z),
              "The name of a token, or a name in a client's certificate (common name, DNS name or URI); * is any of them.",
            ),
            read: optional(namespaces, 'Namespaces that may be read: a name, or the beginning of names and *.', []),
            write: optional(namespaces, 'Namespaces that may be read and written, in the same form.', []),
          }),
        )
        .min(1),
      'What each may do. What is not granted is refused.',
    ),
  });
}

export type AuthConfig = Zod.infer<ReturnType<typeof authSchema>>;

interface Protected {
  readonly auth?: AuthConfig | undefined;
  readonly tls?:
    | { readonly caCertPath?: string | undefined; readonly requireClientAuth?: boolean | undefined }
    | undefined;
}

/** A rule for what has `auth` and `tls` beside each other: there must be a way to prove a name, and one that only friends have. */
export function checkProvable({ auth, tls }: Protected, context: Pick<Zod.RefinementCtx, 'addIssue'>): void {
  if (auth === undefined || tls?.caCertPath !== undefined) return;
  const report = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (tls?.requireClientAuth === true) {
    report(
      ['tls', 'requireClientAuth'],
      'with `auth` it needs `caCertPath`: any public authority would vouch for names',
    );
  } else if (auth.tokensPath === undefined) {
    report(
      ['auth'],
      'nobody can say who they are: add `tokensPath`, or `tls` with `caCertPath` for client certificates',
    );
  }
}

function namespacePattern(z: Z) {
  return scalars.checked(z, 'a namespace such as default, or a beginning such as prod-*', (text) =>
    text === '' || text.slice(0, -1).includes('*')
      ? { message: `${scalars.show(text)} is no namespace; a * may stand at its end only` }
      : undefined,
  );
}
