// The gRPC interface of the demo application, written by hand: package `helloworld`, an empty request and a response
// with one string is all there is, so no .proto compiler and no message library are needed.
//
//   service Hello { rpc Greeting(SvcRequest) returns (SvcResponse);
//                   rpc StreamGreeting(SvcRequest) returns (stream SvcResponse); }
//   service World { rpc Greeting(SvcRequest) returns (SvcResponse); }
//   message SvcRequest {}
//   message SvcResponse { string message = 1; }

import type { MethodDefinition } from '@grpc/grpc-js';

export type SvcRequest = Readonly<Record<string, never>>;
export interface SvcResponse {
  readonly message: string;
}

function method(path: string, responseStream: boolean): MethodDefinition<SvcRequest, SvcResponse> {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: () => ({}),
    responseSerialize: encodeResponse,
    responseDeserialize: decodeResponse,
  };
}

export const HELLO = {
  Greeting: method('/helloworld.Hello/Greeting', false),
  StreamGreeting: method('/helloworld.Hello/StreamGreeting', true),
} as const;

export const WORLD = { Greeting: method('/helloworld.World/Greeting', false) } as const;

/** Tag of `string message = 1`: field number 1, wire type 2 (length-delimited). */
const MESSAGE_TAG = 0x0a;

export function encodeResponse({ message }: SvcResponse): Buffer {
  const text = Buffer.from(message);
  if (text.length === 0) return text; // proto3 leaves a field with its default value out
  const head = [MESSAGE_TAG];
  let length = text.length;
  for (; length > 0x7f; length = Math.floor(length / 128)) head.push((length & 0x7f) | 0x80);
  head.push(length);
  return Buffer.concat([Buffer.from(head), text]);
}

/** Fields that are not known are passed over, as protobuf asks. @throws Error on bytes that are no message */
export function decodeResponse(bytes: Buffer): SvcResponse {
  let at = 0;
  let message = '';
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      const byte = bytes[at];
      if (byte === undefined) throw new Error('message ends inside a number');
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new Error('number is too long');
  };
  const skip = (count: number): Buffer => {
    const from = at;
    at += count;
    if (at > bytes.length) throw new Error('message ends inside a field');
    return bytes.subarray(from, at);
  };
  while (at < bytes.length) {
    const tag = varint();
    switch (tag % 8) {
      case 0:
        varint();
        break;
      case 1:
        skip(8);
        break;
      case 2: {
        const value = skip(varint());
        if (tag === MESSAGE_TAG) message = value.toString();
        break;
      }
      case 5:
        skip(4);
        break;
      default:
        throw new Error(`unknown wire type ${tag % 8}`);
    }
  }
  return { message };
}
