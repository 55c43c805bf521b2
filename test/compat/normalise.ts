/**
 * Takes out of messages what differs from run to run: ports, ids, times. Ids are not just blanked: what must hold of
 * them is checked here, and the result of the check takes the id's place, so that a wrong one shows as a difference.
 */
import { gunzipSync } from 'node:zlib';
import { header, type Message } from '../support/http-message.ts';
import type { ActualRequest } from './expectation.ts';
import type { RecordedCase } from './recordings.ts';

export interface Run {
  /** Port in this run to port in the recording. */
  ports: ReadonlyMap<number, number>;
  /** The client's own port, or undefined if unknown (in a recording). */
  clientPort: number | undefined;
  /** Nanoseconds between the recording and this run, by which deadlines were shifted. */
  shiftNs: bigint;
}

/** The recording itself. */
export const RECORDED: Run = { ports: new Map(), clientPort: undefined, shiftNs: 0n };

export function normaliseResponse(message: Message, run: Run): Message {
  const body = gunzipped(message);
  const plain = normaliseText(body, run);
  const headers = message.headers.map(([name, value]) => {
    // The length follows the body, whose ports may have other numbers of digits in another run.
    const own = name.toLowerCase() === 'content-length' && value === String(message.body.length);
    return [name, own ? String(plain.length) : normaliseText(value, run)] as const;
  });
  return { ...message, headers, body: plain };
}

export function normaliseRequest({ port, message }: ActualRequest, recorded: RecordedCase, run: Run): ActualRequest {
  const sent = recorded.sentRequests[0];
  const [server] = recorded.router.servers;
  const trace = header(message.headers, 'l5d-ctx-trace');
  const sentTrace =
    server?.clearContext === true ? undefined : decodeTrace(header(sent?.headers ?? [], 'l5d-ctx-trace'));
  const sampled = Number(header(sent?.headers ?? [], 'l5d-sample') ?? Number.NaN);
  const headers = message.headers.map(([name, value]): readonly [string, string] => {
    switch (name.toLowerCase()) {
      case 'l5d-ctx-trace':
        return [name, describeTrace(value, sentTrace, sampled > 0 && sampled < 1)];
      case 'l5d-reqid':
        return [name, value === decodeTrace(trace)?.trace ? '<the trace id>' : value];
      case 'l5d-ctx-deadline':
        return [name, describeDeadline(value, header(sent?.headers ?? [], 'l5d-ctx-deadline') !== undefined, run)];
      case 'forwarded':
        return [
          name,
          normaliseText(value, run).replace(/(by|for)=_(\w{6})(?=;|$)/g, randomLabel(recorded.router.label)),
        ];
      case server?.timestampHeader?.toLowerCase():
        return [name, /^\d{13}$/.test(value) ? '<epoch milliseconds>' : value];
      default:
        return [name, normaliseText(value, run)];
    }
  });
  return {
    port: run.ports.get(port) ?? port,
    message: { ...message, start: normaliseText(message.start, run), headers },
  };
}

/** Ports where they follow an address, plain or form-encoded: `127.0.0.1:8601`, `/127.0.0.1/8601`, `127.0.0.1%3A8601`. */
const PORT = /(127\.0\.0\.1(?::|\/|%3A|%2F|\s))(\d+)\b/gi;
const CLIENT = /(from(?: |\+)(?:\/|%2F)127\.0\.0\.1(?::|%3A))(\d+)/gi;

/** As errors show a trace, plain or form-encoded: `<trace>.<span><:<parent>`. */
const TRACE = /\b([0-9a-f]{16})\.([0-9a-f]{16})(<:|%3C%3A)([0-9a-f]{16})\b/g;

/** Ports and ids in a text. */
export function normaliseText(text: string, run: Run): string {
  return text
    .replace(TRACE, (_, trace: string, _span: string, child: string, parent: string) => {
      return `trace.span${child}${parent === trace ? 'trace' : parent}`;
    })
    .replace(CLIENT, (all, before: string, port: string) =>
      run.clientPort === undefined || run.clientPort === Number(port) ? `${before}<client>` : all,
    )
    .replace(PORT, (_, before: string, port: string) => before + (run.ports.get(Number(port)) ?? port));
}

function gunzipped(message: Message): string {
  if (header(message.headers, 'content-encoding') !== 'gzip' || !message.complete) return message.body;
  return gunzipSync(Buffer.from(message.body, 'latin1')).toString('latin1');
}

function randomLabel(routerLabel: string): (all: string, side: string, label: string) => string {
  return (all, side, label) => (label === routerLabel ? all : `${side}=_<random>`);
}

interface TraceIds {
  span: string;
  parent: string;
  trace: string;
  flags: bigint;
  high: string;
}

/** The ids in hex; undefined unless it is standard base64 of 32 or 40 bytes. */
function decodeTrace(value: string | undefined): TraceIds | undefined {
  if (value === undefined || !/^[A-Za-z0-9+/]+=*$/.test(value)) return undefined;
  const bytes = Buffer.from(value, 'base64');
  if ((bytes.length !== 32 && bytes.length !== 40) || bytes.toString('base64') !== value) return undefined;
  const hex = bytes.toString('hex');
  return {
    span: hex.slice(0, 16),
    parent: hex.slice(16, 32),
    trace: hex.slice(32, 48),
    flags: bytes.readBigUInt64BE(24),
    high: hex.slice(64),
  };
}

const SAMPLED = 4n;

/**
 * A trace that came with the request goes on: same trace id and flags, a parent that is the server's own span (a child
 * of the received one). A new trace has its root span as trace id, and that is the parent of what is sent on.
 */
function describeTrace(value: string, received: TraceIds | undefined, sampledAtRandom: boolean): string {
  const ids = decodeTrace(value);
  if (ids === undefined) return `<not a trace: ${value}>`;
  const flags = sampledAtRandom ? ids.flags & ~SAMPLED : ids.flags;
  if (received === undefined)
    return `<new trace, ${ids.parent === ids.trace ? 'from its root' : 'passed on'}, flags ${flags}>`;
  const goesOn = ids.trace === received.trace && ids.high === received.high;
  const ownParent = ![received.span, received.parent, received.trace].includes(ids.parent);
  return `<trace ${goesOn ? 'goes on' : 'lost'}, parent ${ownParent ? 'is the server span' : ids.parent}, flags ${flags}>`;
}

function describeDeadline(value: string, wasSent: boolean, run: Run): string {
  const times = /^(\d{19}) (\d{19})$/.exec(value);
  if (times === null) return value;
  const [from, deadline] = [BigInt(times[1] as string), BigInt(times[2] as string)];
  if (wasSent) return `${from - run.shiftNs} ${deadline - run.shiftNs}`;
  return `<now> <now + ${(deadline - from) / 1_000_000n} ms>`;
}
