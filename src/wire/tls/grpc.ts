/** The same contexts as credentials of grpc-js' channels; a gRPC server is given sockets that went through a server's context. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import type { ClientTls } from './client.ts';

const { connect } = process.getBuiltinModule('node:tls');

/** Credentials of a gRPC channel: each connection is made with the certificates that count then. */
export function grpcChannelCredentials(tls: ClientTls): ChannelCredentials {
  return new WatchedChannelCredentials(tls);
}

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;

class WatchedChannelCredentials extends ChannelCredentials {
  readonly #tls: ClientTls;

  constructor(tls: ClientTls) {
    super();
    this.#tls = tls;
  }

  override compose(): ChannelCredentials {
    throw new Error('call credentials are sent as metadata');
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials: CallCredentials = CallCredentials.createEmpty(),
  ): SecureConnector {
    return {
      connect: (socket) => this.#secure(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    };
  }

  #secure(socket: Socket): Promise<{ socket: TLSSocket; secure: boolean }> {
    return new Promise((resolve, reject) => {
      const secured = connect({ ...this.#tls.connectionOptions, socket, ALPNProtocols: ['h2'] });
      secured.once('secureConnect', () => resolve({ socket: secured, secure: true }));
      secured.once('error', reject);
    });
  }
}
