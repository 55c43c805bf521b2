/** Who calls, and what they may ask (`auth` of the interface). */
import type { Metadata } from '@grpc/grpc-js';
import { ANYBODY, type AuthConfig, Authenticator, type Identity } from '../../../src/control-http/auth/index.ts';
import type { MetricScope } from '../../../src/metrics/registry.ts';
import type { Log } from '../../../src/port/log.ts';
import { type Refusal, unauthenticated } from './status.ts';

/** A call as far as it says who makes it. */
export interface Caller {
  readonly metadata: Metadata;
  getPeer(): string;
}

export class Access {
  readonly #authenticator: Authenticator | null;
  /** The certificate's names of each connection, by the address of its client. */
  readonly #names = new Map<string, readonly string[]>();

  /** Rejects when the file of tokens can't be read. */
  static async open(config: AuthConfig | undefined, log: Log, metrics: MetricScope): Promise<Access> {
    return new Access(config === undefined ? null : await Authenticator.open(config, log, metrics));
  }

  private constructor(authenticator: Authenticator | null) {
    this.#authenticator = authenticator;
  }

  connected(peer: string, certificateNames: readonly string[]): void {
    if (this.#authenticator !== null) this.#names.set(peer, certificateNames);
  }

  disconnected(peer: string): void {
    this.#names.delete(peer);
  }

  identify(call: Caller): Identity | Refusal {
    if (this.#authenticator === null) return ANYBODY;
    const [authorization] = call.metadata.get('authorization');
    const identity = this.#authenticator.identify({
      ...(authorization === undefined ? {} : { authorization: String(authorization) }),
      certificateNames: this.#names.get(call.getPeer()) ?? [],
    });
    return identity ?? unauthenticated;
  }

  /** Somebody who is known asked for what they may not. */
  denied(): void {
    this.#authenticator?.denied();
  }

  /** Calls back when a token was taken back (`isRevoked` of its identity). */
  whenRevoked(callback: () => void): void {
    if (this.#authenticator !== null) this.#authenticator.onRevoked = callback;
  }

  close(): void {
    this.#authenticator?.close();
  }
}
