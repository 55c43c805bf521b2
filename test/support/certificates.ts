/** Real certificates for tests, made with openssl when they are wanted. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './temp-dir.ts';

export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
}

export interface Authority extends Certificate {
  /** A certificate for `name`, valid for a day unless told otherwise, in files of its own. */
  issue(name: string, options?: IssueOptions): Certificate;
}

export interface IssueOptions {
  /** As openssl writes them: `DNS:web.example`, `URI:spiffe://a/b`; default: the name as DNS, and 127.0.0.1. */
  readonly alternativeNames?: readonly string[];
  /** Already over when true. */
  readonly isExpired?: boolean;
}

export function certificateAuthority(t: { teardown(fn: () => void): void }, name = 'test authority'): Authority {
  const dir = tempDir(t);
  const own = { certPath: join(dir, 'ca.pem'), keyPath: join(dir, 'ca.key') };
  newKey(own.keyPath);
  openssl('req', '-x509', '-new', '-key', own.keyPath, '-out', own.certPath, '-subj', `/CN=${name}`, '-days', '1');
  let issued = 0;
  return {
    ...own,
    issue: (subject, { alternativeNames, isExpired = false } = {}) => {
      const at = join(dir, `${issued++}`);
      const { certPath, keyPath } = { certPath: `${at}.pem`, keyPath: `${at}.key` };
      newKey(keyPath);
      openssl('req', '-new', '-key', keyPath, '-out', `${at}.csr`, '-subj', `/CN=${subject}`);
      const names = alternativeNames ?? [`DNS:${subject}`, 'IP:127.0.0.1'];
      // One a line, so that they may hold commas.
      const lines = names.map((each, index) => each.replace(':', `.${index} = `));
      writeFileSync(`${at}.ext`, lines.length === 0 ? '' : `subjectAltName = @names\n[names]\n${lines.join('\n')}\n`);
      const validity = ['-days', isExpired ? '-1' : '1'];
      const signer = ['-CA', own.certPath, '-CAkey', own.keyPath, '-CAcreateserial', '-extfile', `${at}.ext`];
      openssl('x509', '-req', '-in', `${at}.csr`, '-out', certPath, ...signer, ...validity);
      return { certPath, keyPath };
    },
  };
}

/** Puts a certificate and its key where others were, as a renewal does. */
export function replaceCertificate(old: Certificate, { certPath, keyPath }: Certificate): void {
  writeFileSync(old.certPath, readFileSync(certPath));
  writeFileSync(old.keyPath, readFileSync(keyPath));
}

function newKey(path: string): void {
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path);
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
