/**
 * Real certificates for tests, made when they are wanted and with nothing but node:crypto: X.509 version 3 (RFC 5280) with keys on the
 * curve P-256, written in DER (ITU-T X.690).
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
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
  /** `DNS:web.example`, `URI:spiffe://a/b`, `IP:127.0.0.1`; default: the name as DNS, and 127.0.0.1. */
  readonly alternativeNames?: readonly string[];
  /** Already over when true. */
  readonly isExpired?: boolean;
}

export function certificateAuthority(t: { teardown(fn: () => void): void }, name = 'test authority'): Authority {
  const dir = tempDir(t);
  const keys = newKeys();
  const issuer = { name, privateKey: keys.privateKey };
  const own = save(dir, 'ca', keys.privateKey, certificate({ subject: name, keys, issuer, isAuthority: true }));
  let issued = 0;
  return {
    ...own,
    issue: (subject, options = {}) => {
      const { alternativeNames = [`DNS:${subject}`, 'IP:127.0.0.1'], isExpired = false } = options;
      const of = newKeys();
      const made = certificate({ subject, keys: of, issuer, alternativeNames, isExpired });
      return save(dir, String(issued++), of.privateKey, made);
    },
  };
}

/** Puts a certificate and its key where others were, as a renewal does. */
export function replaceCertificate(old: Certificate, { certPath, keyPath }: Certificate): void {
  writeFileSync(old.certPath, readFileSync(certPath));
  writeFileSync(old.keyPath, readFileSync(keyPath));
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface Contents {
  readonly subject: string;
  readonly keys: Keys;
  readonly issuer: { readonly name: string; readonly privateKey: KeyObject };
  readonly alternativeNames?: readonly string[];
  readonly isExpired?: boolean;
  readonly isAuthority?: boolean;
}

function newKeys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function save(dir: string, file: string, privateKey: KeyObject, der: Buffer): Certificate {
  const paths = { certPath: join(dir, `${file}.pem`), keyPath: join(dir, `${file}.key`) };
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  writeFileSync(paths.certPath, `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
  writeFileSync(paths.keyPath, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return paths;
}

const DAY_MS = 86_400_000;
const OID = {
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
};

/** RFC 5280 section 4.1. */
function certificate(contents: Contents): Buffer {
  const { subject, keys, issuer, alternativeNames = [], isExpired = false, isAuthority = false } = contents;
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const until = Date.now() + (isExpired ? -DAY_MS : DAY_MS);
  const extensions = [
    ...(isAuthority ? [extension(OID.basicConstraints, sequence(tagged(0x01, Buffer.from([0xff]))))] : []),
    ...(alternativeNames.length > 0
      ? [extension(OID.subjectAltName, sequence(...alternativeNames.map(generalName)))]
      : []),
  ];
  const toSign = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x40]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer.name),
    sequence(time(until - 2 * DAY_MS), time(until)),
    distinguishedName(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [tagged(0xa3, sequence(...extensions))] : []),
  );
  return sequence(toSign, algorithm, bitString(sign('sha256', toSign, issuer.privateKey)));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid(OID.commonName), tagged(0x0c, Buffer.from(commonName)))));
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return sequence(oid(id), tagged(0x04, value));
}

/** RFC 5280 section 4.2.1.6. */
function generalName(shown: string): Buffer {
  const [, kind, value = ''] = /^(DNS|URI|IP):(.*)$/s.exec(shown) ?? [];
  switch (kind) {
    case 'DNS':
      return tagged(0x82, Buffer.from(value));
    case 'URI':
      return tagged(0x86, Buffer.from(value));
    case 'IP':
      return tagged(0x87, Buffer.from(value.split('.').map(Number)));
    default:
      throw new Error(`no name of a certificate: ${shown}`);
  }
}

/** UTCTime: `YYMMDDhhmmssZ`. */
function time(ms: number): Buffer {
  return tagged(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function oid(bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  return bytes < 0x100 ? Buffer.from([0x81, bytes]) : Buffer.from([0x82, bytes >> 8, bytes & 0xff]);
}
