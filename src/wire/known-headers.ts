/**
 * Header names that the proxy itself acts on. A parser marks each field with the id of its name, so that later steps ask
 * "is it there" and "leave these out" with one bit operation instead of comparing strings again.
 */
export const Known = {
  other: 0,
  host: 1,
  connection: 2,
  keepAlive: 3,
  contentLength: 4,
  transferEncoding: 5,
  te: 6,
  trailer: 7,
  upgrade: 8,
  expect: 9,
  via: 10,
  proxyAuthenticate: 11,
  proxyAuthorization: 12,
  l5dDtab: 13,
  l5dCtxDtab: 14,
  l5dCtxTrace: 15,
  l5dCtxDeadline: 16,
  l5dSample: 17,
  l5dReqid: 18,
  l5dDstService: 19,
  l5dDstClient: 20,
  l5dDstResidual: 21,
  l5dErr: 22,
  l5dSuccessClass: 23,
  l5dRetryable: 24,
  /** Any other name that starts with `l5d-`, or looks like one. */
  l5dOther: 25,
  forwardedClientCert: 26,
  finagleRetryable: 27,
  /** Context of other kinds: `dtab-*` and `x-dtab-*` of old Finagles, W3C `baggage`. Nothing here acts on it. */
  foreignContext: 28,
  /** A field taken out one by one, such as one that `Connection` names. */
  removed: 30,
} as const;

/** The bit of a known header in a mask. */
export function bit(id: number): number {
  return 1 << id;
}

const NAMES: readonly (readonly [string, number])[] = [
  ['host', Known.host],
  ['connection', Known.connection],
  ['keep-alive', Known.keepAlive],
  ['content-length', Known.contentLength],
  ['transfer-encoding', Known.transferEncoding],
  ['te', Known.te],
  ['trailer', Known.trailer],
  ['upgrade', Known.upgrade],
  ['expect', Known.expect],
  ['via', Known.via],
  ['proxy-authenticate', Known.proxyAuthenticate],
  ['proxy-authorization', Known.proxyAuthorization],
  ['l5d-dtab', Known.l5dDtab],
  ['l5d-ctx-dtab', Known.l5dCtxDtab],
  ['l5d-ctx-trace', Known.l5dCtxTrace],
  ['l5d-ctx-deadline', Known.l5dCtxDeadline],
  ['l5d-sample', Known.l5dSample],
  ['l5d-reqid', Known.l5dReqid],
  ['l5d-dst-service', Known.l5dDstService],
  ['l5d-dst-client', Known.l5dDstClient],
  ['l5d-dst-residual', Known.l5dDstResidual],
  ['l5d-err', Known.l5dErr],
  ['l5d-success-class', Known.l5dSuccessClass],
  ['l5d-retryable', Known.l5dRetryable],
  ['finagle-http-retryable-request', Known.finagleRetryable],
  ['baggage', Known.foreignContext],
];

interface Candidate {
  readonly id: number;
  /** Lower-case. */
  readonly name: Uint8Array;
}

/**
 * Names that are known by how they begin. Applications that read headers as CGI does can't tell `_` from `-`: here, and in
 * the certificate's name, either is the same. What is acted on is a name that is written right.
 */
const PREFIXES: readonly Candidate[] = [
  { id: Known.l5dOther, name: Buffer.from('l5d-') },
  { id: Known.foreignContext, name: Buffer.from('dtab-') },
  { id: Known.foreignContext, name: Buffer.from('x-dtab-') },
];

const CLIENT_CERT = Buffer.from('x-forwarded-client-cert');

/** Candidates by the length of their name: most headers of a request are ruled out by it at once. */
const BY_LENGTH: (readonly Candidate[] | undefined)[] = [];
for (const [name, id] of NAMES) {
  BY_LENGTH[name.length] = [...(BY_LENGTH[name.length] ?? []), { id, name: Buffer.from(name) }];
}

const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;
const LETTER_D = 0x64;
const LETTER_L = 0x6c;
const LETTER_X = 0x78;
const TILDE = 0x7e;

/** Whether text[start, start + name.length) is `name`, which is lower-case; text holds token characters there. */
export function equalsIgnoringCase(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = text.charCodeAt(start + i);
    const wanted = name.charCodeAt(i);
    // Setting bit 5 lower-cases letters. Of the other token characters it changes `_`, to none, and `^`, to `~`.
    if (byte !== wanted && ((byte | 0x20) !== wanted || wanted === TILDE)) return false;
  }
  return true;
}

/** Whether bytes[start, start + name.length) is `name`, a known header or its beginning; bytes holds token characters there. */
function isKnownName(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  // Known names consist of letters, digits and `-`: what bit 5 makes of other token characters is none of these.
  for (let i = 0; i < name.length; i++) if (((bytes[start + i] as number) | 0x20) !== name[i]) return false;
  return true;
}

/** The id of the header name at bytes[start, end). */
export function knownHeader(bytes: Uint8Array, start: number, end: number): number {
  const candidates = BY_LENGTH[end - start];
  if (candidates !== undefined) {
    for (const { id, name } of candidates) if (isKnownName(bytes, start, name)) return id;
  }
  const first = (bytes[start] as number) | 0x20;
  if (first === LETTER_L || first === LETTER_D || first === LETTER_X) return knownByPrefix(bytes, start, end);
  return Known.other;
}

function knownByPrefix(bytes: Uint8Array, start: number, end: number): number {
  for (const { id, name } of PREFIXES) if (end - start >= name.length && looksLike(bytes, start, name)) return id;
  return end - start === CLIENT_CERT.length && looksLike(bytes, start, CLIENT_CERT)
    ? Known.forwardedClientCert
    : Known.other;
}

/** As isKnownName, where `_` is as good as `-`. */
function looksLike(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i] as number;
    const wanted = name[i];
    if ((byte | 0x20) !== wanted && !(byte === UNDERSCORE && wanted === HYPHEN)) return false;
  }
  return true;
}

/** Every `l5d-*` header: context that a peer outside the mesh has no business to send (`clearContext`). */
export const L5D_HEADERS: number = [
  Known.l5dDtab,
  Known.l5dCtxDtab,
  Known.l5dCtxTrace,
  Known.l5dCtxDeadline,
  Known.l5dSample,
  Known.l5dReqid,
  Known.l5dDstService,
  Known.l5dDstClient,
  Known.l5dDstResidual,
  Known.l5dErr,
  Known.l5dSuccessClass,
  Known.l5dRetryable,
  Known.l5dOther,
].reduce((mask, id) => mask | bit(id), 0);

/** What else an outsider could mean to be taken for context by a service behind (reference/http-semantics.md section 2). */
export const FOREIGN_CONTEXT: number = bit(Known.foreignContext);

/**
 * Fields that speak of one connection only, never forwarded (RFC 9110 7.6.1; the set is the one that Linkerd strips,
 * reference/http-semantics.md section 4). The writer of a message adds its own framing and connection fields.
 */
export const HOP_BY_HOP: number =
  bit(Known.connection) |
  bit(Known.transferEncoding) |
  bit(Known.te) |
  bit(Known.trailer) |
  bit(Known.upgrade) |
  bit(Known.proxyAuthenticate) |
  bit(Known.proxyAuthorization);

/**
 * Others that would say who asks, for what part, or what the content is, to whoever merges trailers into the header; nothing
 * here acts on them, so they have no ids (RFC 9110 6.5.1 and the fields' own sections).
 */
export const NAMES_NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  ...['authorization', 'cookie', 'set-cookie', 'www-authenticate', 'forwarded', 'x-real-ip'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'],
  ...['content-type', 'content-encoding', 'content-range', 'range', 'max-forwards'],
  ...['age', 'cache-control', 'expires', 'date', 'location', 'retry-after', 'vary'],
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'],
]);

/** Fields that may not stand in a trailer section because they frame, route or control (RFC 9110 6.5.1). */
export const NOT_IN_TRAILERS: number =
  HOP_BY_HOP |
  L5D_HEADERS |
  bit(Known.host) |
  bit(Known.contentLength) |
  bit(Known.keepAlive) |
  bit(Known.expect) |
  bit(Known.via) |
  bit(Known.forwardedClientCert) |
  bit(Known.finagleRetryable) |
  FOREIGN_CONTEXT;
