/** A well-behaved client beside an attack: one request after another on one connection, each of which must be answered. */
import { parseResponses, statusOf } from './http-message.ts';
import { RawConnection } from './raw-client.ts';
import { until } from './until.ts';

export class Innocent {
  readonly #connection: RawConnection;
  readonly #host: string;
  #stopped = false;
  readonly #done: Promise<void>;
  /** Answers with 200. */
  answered = 0;
  /** What came instead of one. */
  failure: string | undefined;

  static async start(port: number, host = 'web'): Promise<Innocent> {
    return new Innocent(await RawConnection.open(port), host);
  }

  private constructor(connection: RawConnection, host: string) {
    this.#connection = connection;
    this.#host = host;
    this.#done = this.#run();
  }

  /** Waits for the answer under way; afterwards the counts are final. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    this.#connection.destroy();
  }

  async #run(): Promise<void> {
    const connection = this.#connection;
    while (!this.#stopped && this.failure === undefined) {
      connection.received = '';
      await connection.send(`GET / HTTP/1.1\r\nHost: ${this.#host}\r\n\r\n`);
      const answer = () =>
        parseResponses(connection.received, ['GET'], connection.closed).find(({ complete }) => complete);
      await until(() => connection.closed || answer() !== undefined, { timeoutMs: 60_000 }).catch(() => {});
      const response = answer();
      if (response !== undefined && statusOf(response) === 200) this.answered++;
      else this.failure = connection.received || 'no answer';
    }
  }
}
