/** The access log of the mesh interface (`h2AccessLog`): a line for every call of one of its methods when that is over. */
import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { AccessLogConfig } from '../../../src/access-log/config.ts';
import { type AccessLogEntry, accessLogLine, plainIp } from '../../../src/access-log/line.ts';
import { RollingFile } from '../../../src/access-log/rolling-file.ts';
import { within } from '../../../src/access-log/within.ts';
import type { MetricScope } from '../../../src/metrics/registry.ts';
import type { Log } from '../../../src/port/log.ts';
import { KeyError } from '../interface.ts';

/** Calls that are cut at the end are over within this time. */
const LAST_CALLS_MS = 1_000;
/** The status of HTTP with which gRPC answers everything; its own stands in trailers, for which the format has no field. */
const HTTP_OK = 200;

export class MeshAccessLog {
  readonly #file: RollingFile;
  #calls = 0;
  #onIdle: () => void = () => {};

  /** What the file holds stays as it is until `start`. Rejects with a KeyError. */
  static async open(config: AccessLogConfig, log: Log, metrics: MetricScope): Promise<MeshAccessLog> {
    const lost = metrics.counter('access_log/lost_lines');
    try {
      return new MeshAccessLog(await RollingFile.open({ ...config, log, onLost: (lines) => lost.add(lines) }));
    } catch (error) {
      throw new KeyError('h2AccessLog', `can't open the file: ${(error as Error).message}`);
    }
  }

  private constructor(file: RollingFile) {
    this.#file = file;
  }

  /** Once the port is taken: until then another namerd may be writing the file. Rejects with a KeyError. */
  async start(): Promise<void> {
    try {
      await this.#file.start();
    } catch (error) {
      throw new KeyError('h2AccessLog', `can't empty the file: ${(error as Error).message}`);
    }
  }

  /** To be the innermost, so that it sees what others answer. */
  get interceptor(): ServerInterceptor {
    return ({ path }, call) => {
      let isAnswered = false;
      let received: Metadata | null = null;
      const onOver = (): void =>
        this.#over({
          host: call.getHost(),
          remoteIp: plainIp(call.getConnectionInfo().remoteAddress),
          at: Date.now(),
          method: 'POST',
          uri: path,
          version: 'HTTP/2',
          status: isAnswered ? HTTP_OK : undefined,
          referer: textOf(received, 'referer'),
          userAgent: textOf(received, 'user-agent'),
        });
      return new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: (metadata, pass) => {
              received = metadata;
              this.#calls++;
              pass(metadata);
            },
            // The library tells of every end so, also of a good one.
            onCancel: onOver,
          }),
        sendMetadata: (metadata, next) => {
          isAnswered = true;
          next(metadata);
        },
        sendStatus: (status, next) => {
          isAnswered = true;
          next(status);
        },
      });
    };
  }

  /** After the last call; waits for those that have just been cut, and writes what there is. Never rejects. */
  async close(): Promise<void> {
    if (this.#calls > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      await within(LAST_CALLS_MS, idle);
    }
    await this.#file.close();
  }

  #over(entry: AccessLogEntry): void {
    this.#file.write(accessLogLine(entry), entry.at);
    this.#calls--;
    if (this.#calls === 0) this.#onIdle();
  }
}

function textOf(metadata: Metadata | null, name: string): string | undefined {
  const [value] = metadata?.get(name) ?? [];
  return value?.toString();
}
