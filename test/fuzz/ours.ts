/** How Signpost's codec reads bytes, cut anywhere. */
import { decode } from '../wire/http1/transcript.ts';
import type { Role } from './messages.ts';
import { type Reading, upToFinal } from './reading.ts';

/** `method`: for responses, that of the request they answer. */
export function readByOurs(role: Role, pieces: readonly string[], method: string): Reading {
  const { messages, error, why } = decode(role, pieces, {
    methods: [method],
    upgradable: false,
    end: role === 'response',
  });
  const reading: Reading = {
    messages: messages.map(({ start, fields, body, trailers, complete }) => ({
      start: start.replace(/([01])$/, '1.$1'),
      fields,
      body,
      trailers: trailers ?? [],
      complete,
    })),
    refused: error === null ? null : `${error} ${why}`,
  };
  return role === 'response' ? upToFinal(reading) : reading;
}
