/**
 * All peers, in the order in which they run and print.
 */
import { baseline } from './baseline.ts';
import { envoy } from './envoy.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { Peer, PeerName } from './peer.ts';
import { signpost } from './signpost.ts';

export const PEERS: Readonly<Record<PeerName, Peer>> = { haproxy, nginx, envoy, 'node-undici': baseline, signpost };
