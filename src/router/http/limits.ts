/** How much of a message is held, by the router's keys; the same for requests and responses. */
import * as defaults from '../../config/defaults.ts';
import type { DecoderLimits } from '../../wire/http1/decoder.ts';
import type { RouterConfig } from '../config.ts';

/** Bytes of chunk extensions that a message may have in all; nobody uses them. */
const CHUNK_EXTENSION_BYTES = 4096;

export function headLimits(router: RouterConfig, fields: number): DecoderLimits {
  return {
    startLineBytes: (router.maxInitialLineKB ?? defaults.maxInitialLineKB) * 1024,
    headerBytes: (router.maxHeadersKB ?? defaults.maxHeadersKB) * 1024,
    fields,
    chunkExtensionBytes: CHUNK_EXTENSION_BYTES,
  };
}

/** Bytes of a body that is kept whole where streaming is off. */
export function maxBufferedBytes(router: RouterConfig): number {
  return (router.maxBufferedBodyKB ?? defaults.maxBufferedBodyKB) * 1024;
}

/** Bytes of a request's body that is kept, so that the request can be sent again. */
export function replayBytes(router: RouterConfig): number {
  if (router.streamingEnabled === false) return maxBufferedBytes(router);
  return (router.streamAfterContentLengthKB ?? defaults.streamAfterContentLengthKB) * 1024;
}
