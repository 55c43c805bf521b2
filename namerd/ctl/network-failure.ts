/** What is said when namerd can't be asked: in the original's words, and what to do about it. */
import { ExitCode, Failure } from './failure.ts';

/** The request that failed. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
}

/** The code of an error that says that something took too long. */
export const TIMED_OUT = 'NAMERCTL_TIMED_OUT';

/** What the original says of errors of the system. */
const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  ETIMEDOUT: 'connect: connection timed out',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
};

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
    return failed(request, `dial tcp${at}: ${system}`, IS_IT_RUNNING);
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
    return failed(request, `tls: ${message}`, howToFixTls(code));
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

function howToFixTls(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'The certificate is for other names: use one of them in the base URL.';
  if (/SELF_SIGNED|UNABLE_TO|DEPTH_ZERO/.test(code))
    return "Give the certificate authority that namerd's certificate is from: --cacert FILE.";
  return 'If namerd asks for a client certificate, give one: --cert FILE --key FILE.';
}

/** `Get "http://...": what went wrong`, as the original has it, which asks without parameters. */
export function failed({ method, url }: Asked, reason: string, hint?: string): Failure {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const shown = new URL(url);
  shown.search = '';
  if (shown.password !== '') shown.password = '***';
  return new Failure(`${verb} "${shown}": ${reason}`, ExitCode.unreachable, hint === undefined ? {} : { hint });
}
