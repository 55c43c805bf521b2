/**
 * Holds two readings of the same bytes against each other. What counts is which whole messages there are, and what is in
 * them: bytes that are refused and bytes that are no whole message yet come to the same, since both end in nothing.
 */
import type { Fields, Reading, ReadMessage } from './reading.ts';

export interface Difference {
  /**
   * `only ours`, `only theirs`: the other refuses the message. `differently`: both take it for something, and not for the
   * same.
   */
  readonly kind: 'only ours' | 'only theirs' | 'differently';
  /** Which message, from 0. */
  readonly index: number;
  /** Why the one who refuses it does, or what differs. */
  readonly why: string;
}

export function compare(ours: Reading, theirs: Reading): Difference | null {
  const [our, their] = [whole(ours), whole(theirs)];
  const both = Math.min(our.length, their.length);
  for (let index = 0; index < both; index++) {
    const why = contentDifference(our[index] as ReadMessage, their[index] as ReadMessage);
    if (why !== null) return { kind: 'differently', index, why };
  }
  if (our.length > both) return onlyOne('only ours', both, theirs);
  if (their.length > both) return onlyOne('only theirs', both, ours);
  return tailDifference(ours.messages[both], theirs.messages[both], both);
}

function whole({ messages }: Reading): readonly ReadMessage[] {
  return messages.filter(({ complete }) => complete);
}

function onlyOne(kind: 'only ours' | 'only theirs', index: number, other: Reading): Difference {
  if (other.refused !== null) return { kind, index, why: other.refused };
  return { kind: 'differently', index, why: `${kind === 'only ours' ? 'they wait' : 'we wait'} for more of it` };
}

/** Of a message that neither has whole, as much as both have must be the same. */
function tailDifference(
  ours: ReadMessage | undefined,
  theirs: ReadMessage | undefined,
  index: number,
): Difference | null {
  if (ours === undefined || theirs === undefined) return null;
  const why = headDifference(ours, theirs);
  if (why !== null) return { kind: 'differently', index, why };
  if (ours.body.startsWith(theirs.body) || theirs.body.startsWith(ours.body)) return null;
  return { kind: 'differently', index, why: 'the beginning of the body' };
}

function contentDifference(ours: ReadMessage, theirs: ReadMessage): string | null {
  const why = headDifference(ours, theirs);
  if (why !== null) return why;
  if (ours.body !== theirs.body) return 'the body';
  return shown(ours.trailers) === shown(theirs.trailers) ? null : 'the trailers';
}

function headDifference(ours: ReadMessage, theirs: ReadMessage): string | null {
  if (ours.start !== theirs.start) return 'the start line';
  // These have no body whatever they say of one (RFC 9112 6.3), and we leave the words out.
  if (/^(1\d\d|204) /.test(ours.start)) return shown(ours.fields) === shown(theirs.fields) ? null : 'the fields';
  if (shown(ours.fields) !== shown(theirs.fields)) return 'the fields';
  return lengthOf(ours.fields) === lengthOf(theirs.fields) ? null : 'the length';
}

/** Without what frames: lengths are compared as numbers, and codings by the body that they give. */
function shown(fields: Fields): string {
  return fields
    .filter(([name]) => !/^(content-length|transfer-encoding)$/i.test(name))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

function lengthOf(fields: Fields): number | undefined {
  const length = fields.find(([name]) => name.toLowerCase() === 'content-length');
  return length === undefined ? undefined : Number(length[1]);
}
