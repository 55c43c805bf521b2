/** `addForwardedHeader`: one element of the Forwarded header (RFC 7239) that names this server and the client. */
import crypto from 'node:crypto';
import type { ServerConfig } from '../config.ts';

type ForwardedConfig = NonNullable<ServerConfig['addForwardedHeader']>;

/** What a labeler may use. */
export interface ForwardedNode {
  readonly host: string;
  readonly port: number;
}

/** Names one end of a connection; `connection` is any object that lives as long as the connection does. */
type Labeler = (node: ForwardedNode, connection: object) => string;

const ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** An obfuscated identifier (RFC 7239 6.3). */
function randomLabel(): string {
  let label = '_';
  for (let i = 0; i < 6; i++) label += ALPHANUMERIC[crypto.randomInt(ALPHANUMERIC.length)];
  return label;
}

/** IPv6 addresses stand in brackets, and brackets and colons only in quotes (RFC 7239 6). */
function ipLabel({ host }: ForwardedNode): string {
  return host.includes(':') ? `"[${host}]"` : host;
}

function ipPortLabel({ host, port }: ForwardedNode): string {
  return host.includes(':') ? `"[${host}]:${port}"` : `"${host}:${port}"`;
}

/** Obfuscated identifiers begin with `_`; a label may do so already. */
function fixedLabel(text: string): Labeler {
  const label = text.startsWith('_') ? text : `_${text}`;
  return () => label;
}

function labeler(config: ForwardedConfig['by'], router: string): Labeler {
  const kind = config?.kind ?? 'requestRandom';
  switch (kind) {
    case 'ip':
      return ipLabel;
    case 'ip:port':
      return ipPortLabel;
    case 'connectionRandom': {
      const labels = new WeakMap<object, string>();
      return (_node, connection) => {
        let label = labels.get(connection);
        if (label === undefined) {
          label = randomLabel();
          labels.set(connection, label);
        }
        return label;
      };
    }
    case 'router':
      return fixedLabel(router);
    case 'static':
      return fixedLabel((config as unknown as { label: string }).label);
    default:
      return randomLabel;
  }
}

/** Makes the value of the header; `scheme` only when the request's target named one. */
export type Forwarder = (
  server: ForwardedNode,
  client: ForwardedNode,
  connection: object,
  host: string | undefined,
  scheme: string | undefined,
) => string;

export function createForwarder(config: ForwardedConfig, router: string): Forwarder {
  const by = labeler(config.by, router);
  const from = labeler(config.for, router);
  return (server, client, connection, host, scheme) => {
    let value = `by=${by(server, connection)};for=${from(client, connection)}`;
    if (host !== undefined)
      value += `;host=${/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(host) ? host : `"${host.replace(/["\\]/g, '\\$&')}"`}`;
    if (scheme !== undefined) value += `;proto=${scheme}`;
    return value;
  };
}
