/** The same contexts as credentials of grpc-js. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CallCredentials, ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import type { ClientTls } from './client.ts';
import type { ServerTls } from './server.ts';

const { connect } = process.getBuiltinModule('node:tls');

/**
 * Credentials of a gRPC server that follow the certificate files. Clients are asked for a certificate only where one is required:
 * grpc-js hands on what a client shows without saying whether it is believed.
 */
export function grpcServerCredentials(tls: ServerTls): ServerCredentials {
  return new WatchedServerCredentials(tls);
}

/** Credentials of a gRPC channel: each connection is made with the certificates that count then. */
export function grpcChannelCredentials(tls: ClientTls): ChannelCredentials {
  return new WatchedChannelCredentials(tls);
}

class WatchedServerCredentials extends ServerCredentials {
  constructor(tls: ServerTls) {
    const requires = tls.requiresClientAuth;
    super({ requestCert: requires, rejectUnauthorized: requires }, tls.contextOptions);
    tls.onContext((options) => this.updateSecureContextOptions(options));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
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
