/** Bodies of requests to the control side, which are small. */
import type http from 'node:http';

export const MAX_BODY_BYTES = 1024 * 1024;

/** NaN when the request does not say. */
export function contentLength(request: http.IncomingMessage): number {
  return Number(request.headers['content-length']);
}

/** The whole body; null when it is too long. */
export async function readBody(request: http.IncomingMessage): Promise<Buffer | null> {
  if (contentLength(request) > MAX_BODY_BYTES) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  // Where it is broken off, the connection must still carry the answer.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
