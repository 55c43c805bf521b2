/**
 * The text of a service's file: one replica a line, `host port` or `host port * weight`; blanks separate, `#` starts a
 * comment.
 */
import { type Activity, hasValue } from '../../live/index.ts';
import type { Addr, Endpoint } from '../../naming/index.ts';

export interface Replica {
  /** A host name or an IP address. */
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

export interface BadLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

export interface ReplicaFile {
  readonly replicas: readonly Replica[];
  readonly badLines: readonly BadLine[];
}

const LINE = /^(?<host>\S+)\s+(?<port>\d{1,5})(?:\s*\*\s*(?<weight>\d+\.?\d*|\.\d+))?$/;

/** Bad lines are set aside and the others kept. (The original fails the whole file for one.) */
export function parseReplicaFile(text: string): ReplicaFile {
  const replicas: Replica[] = [];
  const badLines: BadLine[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.replace(/#.*/s, '').trim();
    if (content === '') continue;
    const replica = parseReplica(content);
    if (replica === undefined) badLines.push({ line: index + 1, text: content });
    else replicas.push(replica);
  }
  return { replicas, badLines };
}

function parseReplica(content: string): Replica | undefined {
  const { host, port, weight } = LINE.exec(content)?.groups ?? {};
  if (host === undefined) return undefined;
  const replica = { host, port: Number(port), weight: weight === undefined ? 1 : Number(weight) };
  if (replica.port < 1 || replica.port > 65535 || !Number.isFinite(replica.weight)) return undefined;
  return replica;
}

/**
 * The address set of a file. Hosts whose addresses are not known yet, or can't be found, are left out while others are
 * there: one dead name must not take its siblings with it. A file without any good line has no address to fall back to, so
 * it fails, as in the original.
 */
export function addrOf(file: ReplicaFile, resolve: (host: string) => Activity<readonly string[]>): Addr {
  const { replicas, badLines } = file;
  const bad = badLines[0];
  if (replicas.length === 0 && bad !== undefined) return { state: 'failed', cause: `malformed address: ${bad.text}` };

  const endpoints = new Map<string, Endpoint>();
  let waiting = false;
  let cause: string | undefined;
  for (const { host, port, weight } of replicas) {
    const addresses = resolve(host);
    if (addresses.phase === 'failed') cause ??= addresses.error.message;
    if (!hasValue(addresses)) {
      waiting ||= addresses.phase === 'pending';
      continue;
    }
    // The last line wins where several name one endpoint.
    for (const address of addresses.value) endpoints.set(`${address} ${port}`, { host: address, port, weight });
  }
  if (endpoints.size > 0 || replicas.length === 0) return { state: 'bound', endpoints: [...endpoints.values()] };
  if (waiting) return { state: 'pending' };
  return cause === undefined ? { state: 'neg' } : { state: 'failed', cause };
}
