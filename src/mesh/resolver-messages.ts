/** What io.linkerd.mesh.Resolver answers; it is asked for a path alone. */
import { type Addr, ENDPOINT_WEIGHT, type Endpoint } from '../naming/index.ts';
import { bytesToIp, ipToBytes } from './ip-bytes.ts';
import { readOnly } from './naming-messages.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

type Meta = Readonly<Record<string, string>>;

const INET4 = 0;
const INET6 = 1;
/** In a Kubernetes cluster: the node that an endpoint runs on. It has a field of its own beside the metadata. */
const NODE_NAME = 'nodeName';

/** Replicas: `{ oneof: pending 1, neg 2, failed 3 { message 1 }, bound 4 { endpoints 1, metadata 2 } }`. */
export function writeReplicas(writer: ProtoWriter, addr: Addr): void {
  switch (addr.state) {
    case 'pending':
      writer.message(1);
      break;
    case 'neg':
      writer.message(2);
      break;
    case 'failed':
      writer.message(3, () => writer.text(1, addr.cause));
      break;
    case 'bound':
      writer.message(4, () => {
        for (const endpoint of addr.endpoints) writeEndpoint(writer, endpoint);
        writer.map(2, addr.meta ?? {});
      });
      break;
  }
}

export function readReplicas(reader: ProtoReader): Addr {
  let addr: Addr = { state: 'neg' };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        addr = { state: 'pending' };
        reader.skip();
        break;
      case 2:
        addr = { state: 'neg' };
        reader.skip();
        break;
      case 3:
        addr = { state: 'failed', cause: readCause(reader.message()) };
        break;
      case 4:
        addr = readBound(reader.message());
        break;
      default:
        reader.skip();
    }
  }
  return addr;
}

function readCause(reader: ProtoReader): string {
  return readOnly(reader, () => reader.text()) ?? 'unknown';
}

function readBound(reader: ProtoReader): Addr {
  const endpoints: Endpoint[] = [];
  const meta: Record<string, string> = {};
  while (reader.next()) {
    if (reader.field === 1) {
      const endpoint = readEndpoint(reader.message());
      if (endpoint !== undefined) endpoints.push(endpoint);
    } else if (reader.field === 2) {
      reader.mapEntry(meta);
    } else {
      reader.skip();
    }
  }
  return { state: 'bound', endpoints, ...metaOf(meta) };
}

/** `{ inet_af 1, address 2, port 3, meta 4 { nodeName 1 }, metadata 5 }`. An endpoint that is no IP address is left out. */
function writeEndpoint(writer: ProtoWriter, { host, port, weight, meta = {} }: Endpoint): void {
  const address = ipToBytes(host);
  if (address === undefined) return;
  const nodeName = meta[NODE_NAME];
  writer.message(1, () => {
    writer.int(1, address.length === 4 ? INET4 : INET6);
    writer.bytes(2, address);
    writer.int(3, port);
    writer.message(4, () => {
      if (nodeName !== undefined) writer.text(1, nodeName);
    });
    writer.map(5, weight === 1 ? meta : { ...meta, [ENDPOINT_WEIGHT]: String(weight) });
  });
}

function readEndpoint(reader: ProtoReader): Endpoint | undefined {
  let host: string | undefined;
  let port = 0;
  const meta: Record<string, string> = {};
  while (reader.next()) {
    if (reader.field === 2) host = bytesToIp(reader.bytes());
    else if (reader.field === 3) port = reader.int();
    else if (reader.field === 4) readNodeName(reader.message(), meta);
    else if (reader.field === 5) reader.mapEntry(meta);
    else reader.skip();
  }
  if (host === undefined || port < 0 || port > 65_535) return undefined;
  const { [ENDPOINT_WEIGHT]: weightText, ...rest } = meta;
  return { host, port, weight: weightOf(weightText), ...metaOf(rest) };
}

function readNodeName(reader: ProtoReader, meta: Record<string, string>): void {
  while (reader.next()) {
    if (reader.field === 1) meta[NODE_NAME] = reader.text();
    else reader.skip();
  }
}

function weightOf(text: string | undefined): number {
  const weight = text === undefined ? 1 : Number(text);
  return Number.isFinite(weight) && weight >= 0 ? weight : 1;
}

function metaOf(meta: Meta): { meta?: Meta } {
  return Object.keys(meta).length === 0 ? {} : { meta };
}
