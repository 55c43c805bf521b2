/** What is said when namerd can't be asked: in the original's words, and what to do about it. */
import { ExitCode, Failure } from './failure.ts';
import type { TlsFiles } from './tls-files.ts';

/** The request that failed. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly tls: TlsFiles;
}

/** The code of an error that says that something took too long. */
export const TIMED_OUT = 'NAMERCTL_TIMED_OUT';

/** What the original says of errors of the system. */
const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EPIPE: 'write: broken pipe',
  ETIMEDOUT: 'connect: connection timed out',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
};

/** Codes of a connection that the peer has closed. */
const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

interface NetworkError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  /** Of the addresses that a name has. */
  readonly errors?: readonly NetworkError[];
}

export function explained(request: Asked, error: NetworkError): Failure {
  const { code = '', message, address, port, hostname } = error.errors?.[0] ?? error;
  const { hostname: host } = request.url;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failed(
      request,
      `dial tcp: lookup ${hostname ?? host}: no such host`,
      `Is ${hostname ?? host} the right name, and does it resolve here?`,
    );
  }
  const system = SYSTEM[code];
  if (system !== undefined) {
    const at = address === undefined ? '' : ` ${address.includes(':') ? `[${address}]` : address}:${port}`;
    return failed(request, `dial tcp${at}: ${system}`, CLOSED.has(code) ? whyClosed(request) : IS_IT_RUNNING);
  }
  if (
    /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/.test(code) ||
    message.includes('wrong version number')
  ) {
    return failed(
      request,
      'http: server gave HTTP response to HTTPS client',
      'Begin the base URL with http:// instead.',
    );
  }
  if (code === TIMED_OUT) return failed(request, message, IS_IT_RUNNING);
  if (/^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
    return failed(request, tlsReason(error), howToFixTls(code, request.tls));
  }
  if (code === 'ERR_STREAM_PREMATURE_CLOSE' || message === 'socket hang up' || message === 'aborted') {
    return failed(
      request,
      'EOF',
      'The connection was closed before the answer was complete: look at the log of namerd.',
    );
  }
  return failed(request, message);
}

const IS_IT_RUNNING =
  'Is namerd running there, and is this the port of its io.l5d.httpController (4180 unless its config says otherwise)?';

/** A peer that has not said why is told of by the most likely reason. */
function whyClosed({ url, tls }: Asked): string {
  if (url.protocol !== 'https:') return `${IS_IT_RUNNING} If it has \`tls\`, begin the base URL with https://.`;
  return howToBeBelieved(tls);
}

/** What is said of a certificate that nobody known vouches for; Node's own words give advice about Node. */
const UNKNOWN_AUTHORITY = /^(UNABLE_TO|SELF_SIGNED_CERT_IN_CHAIN)/;

function tlsReason({ code = '', message }: NetworkError): string {
  if (UNKNOWN_AUTHORITY.test(code)) return 'tls: certificate signed by unknown authority';
  // As OpenSSL tells of what the other side has said: `...:tlsv13 alert certificate required:...`.
  const [, alert] = /\balert ([a-z ]+):/.exec(message) ?? [];
  return alert === undefined ? `tls: ${message}` : `remote error: tls: ${alert}`;
}

function howToFixTls(code: string, tls: TlsFiles): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'The certificate is for other names: use one of them in the base URL.';
  if (code === 'CERT_HAS_EXPIRED')
    return "The certificate of namerd has to be renewed, unless this machine's clock is wrong.";
  if (code === 'CERT_NOT_YET_VALID')
    return "Is this machine's clock right? The certificate of namerd is for a later time.";
  if (UNKNOWN_AUTHORITY.test(code) || code.startsWith('DEPTH_ZERO')) {
    return tls.ca === undefined
      ? "Give the certificate authority that namerd's certificate is from: --cacert FILE."
      : "The file of --cacert does not hold the authority that namerd's certificate is from.";
  }
  return howToBeBelieved(tls);
}

function howToBeBelieved({ cert }: TlsFiles): string {
  return cert === undefined
    ? 'If namerd asks for a client certificate, give one: --cert FILE --key FILE.'
    : 'namerd may not believe the certificate of --cert: has it expired, or is it from an authority that namerd does not know?';
}

/** `Get "http://...": what went wrong`, as the original has it, which asks without parameters. */
export function failed({ method, url }: Pick<Asked, 'method' | 'url'>, reason: string, hint?: string): Failure {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const shown = new URL(url);
  shown.search = '';
  if (shown.password !== '') shown.password = '***';
  return new Failure(`${verb} "${shown}": ${reason}`, ExitCode.unreachable, hint === undefined ? {} : { hint });
}
