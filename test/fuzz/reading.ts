/** What a parser made of some bytes, in a form that two parsers can be compared by. */

export type Fields = readonly (readonly [name: string, value: string])[];

export interface ReadMessage {
  /** `GET /a 1.1`, or `200 OK 1.1`. */
  readonly start: string;
  /** As written; blanks around values are gone. */
  readonly fields: Fields;
  body: string;
  trailers: Fields;
  complete: boolean;
}

export interface Reading {
  /** In their order; the last one may be incomplete. */
  readonly messages: readonly ReadMessage[];
  /** Why the rest was refused, in the parser's own words; null when it was not. */
  readonly refused: string | null;
}

/** Responses up to the first that is not interim: whatever follows answers nothing. */
export function upToFinal(reading: Reading): Reading {
  const final = reading.messages.findIndex(({ start }) => !start.startsWith('1'));
  if (final < 0 || reading.messages[final]?.complete !== true) return reading;
  return { messages: reading.messages.slice(0, final + 1), refused: null };
}

/** Requests up to the one that ends the connection: nothing behind it is read. */
export function upToLast(reading: Reading): Reading {
  const last = reading.messages.findIndex((message) => message.complete && endsConnection(message));
  return last < 0 ? reading : { messages: reading.messages.slice(0, last + 1), refused: null };
}

/** RFC 9112 9.3; and what follows a CONNECT or an Upgrade is HTTP or not as the answer says. */
function endsConnection({ start, fields }: ReadMessage): boolean {
  const options = fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map((option) => option.trim());
  if (start.startsWith('CONNECT ')) return true;
  if (options.includes('upgrade') && fields.some(([name]) => name.toLowerCase() === 'upgrade')) return true;
  return options.includes('close') || (start.endsWith(' 1.0') && !options.includes('keep-alive'));
}
