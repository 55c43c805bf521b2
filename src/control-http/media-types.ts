/** Media types of bodies: what a Content-Type says, and which of several types an Accept asks for (RFC 9110 section 12.5.1). */

export interface MediaType {
  /** `application/json`, in lower case. */
  readonly type: string;
  /** In lower case, without quotes; undefined when none is named. */
  readonly charset: string | undefined;
}

export function parseContentType(field: string | undefined): MediaType {
  const [type = '', ...parameters] = (field ?? '').split(';').map((part) => part.trim());
  const charset = parameters.map((parameter) => /^charset="?([^"]*)"?$/i.exec(parameter)?.[1]).find(Boolean);
  return { type: type.toLowerCase(), charset: charset?.toLowerCase() };
}

interface Range {
  readonly type: string;
  /** From 0 to 1. */
  readonly q: number;
}

/**
 * Which of the offered types an Accept field likes best: by q, then by the order in which it names them, then by that of the
 * offer. Undefined if it accepts none of them.
 */
export function negotiate<Offer extends string>(
  accept: string | undefined,
  offers: readonly Offer[],
): Offer | undefined {
  if (accept === undefined) return offers[0];
  const ranges = accept.split(',').flatMap(parseRange);
  const candidates = offers
    .map((offer) => ({ offer, ...preference(offer, ranges) }))
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q || a.position - b.position);
  return candidates[0]?.offer;
}

function parseRange(text: string): Range[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  if (type === '') return [];
  const weight = parameters.map((parameter) => /^q=([0-9.]+)$/.exec(parameter)?.[1]).find(Boolean);
  const q = weight === undefined ? 1 : Number(weight);
  return [{ type, q: q >= 0 && q <= 1 ? q : 0 }];
}

/** The most specific range that covers a type decides. */
function preference(offer: string, ranges: readonly Range[]): { q: number; position: number } {
  for (const pattern of [offer, `${offer.split('/', 1)[0]}/*`, '*/*']) {
    const position = ranges.findIndex(({ type }) => type === pattern);
    if (position >= 0) return { q: ranges[position]!.q, position };
  }
  return { q: 0, position: ranges.length };
}
