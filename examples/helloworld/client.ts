// helloworld-client: asks a gRPC Hello service and prints what it says.
//
//   npx node examples/helloworld/client.ts [-streaming] <host:port>

import { type CallOptions, Client, credentials, Metadata } from '@grpc/grpc-js';
import { type Flag, FlagError, parseAddress, parseBoolean, parseFlags, usage } from './flags.ts';
import { HELLO, type SvcResponse } from './service.ts';

const DEADLINE_MS = 30_000;
const COMMAND = 'helloworld-client [-streaming] <host:port>';
const FLAGS: readonly Flag[] = [
  { name: 'streaming', parse: parseBoolean, boolean: true, usage: 'ask for a stream of greetings' },
  { name: 'help', parse: parseBoolean, boolean: true, usage: 'print this text' },
];

function main(argv: readonly string[]): void {
  let streaming = false;
  let target = '';
  try {
    const { values, rest } = parseFlags(FLAGS, argv);
    if (values.get('help') === true) {
      process.stdout.write(usage(COMMAND, FLAGS));
      return;
    }
    if (rest.length !== 1) throw new FlagError('expected one address, host:port, after the flags');
    target = rest[0]!;
    streaming = values.get('streaming') === true;
    parseAddress(target);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage(COMMAND, FLAGS)}`);
    process.exitCode = 2;
    return;
  }
  ask(new Client(target, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 }), streaming);
}

function ask(client: Client, streaming: boolean): void {
  const finish = (error: Error | null): void => {
    if (error !== null) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    }
    client.close();
  };
  const print = (response: SvcResponse | undefined): void => {
    process.stdout.write(`${response?.message ?? ''}\n`);
  };
  const { path, requestSerialize, responseDeserialize } = streaming ? HELLO.StreamGreeting : HELLO.Greeting;
  const options: CallOptions = { deadline: Date.now() + DEADLINE_MS };
  if (!streaming) {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      {},
      new Metadata(),
      options,
      (error, reply) => {
        if (error === null) print(reply);
        finish(error);
      },
    );
    return;
  }
  client
    .makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, new Metadata(), options)
    .on('data', print)
    .on('end', () => finish(null))
    .on('error', finish);
}

main(process.argv.slice(2));
