/** Where namerd's HTTP controller answers otherwise than the original's did, on purpose, and why (docs/namerd-api.md). */
import type { RecordedCall } from './recordings.ts';

/** What is compared of an answer. */
export interface Answer {
  readonly status: number;
  /** By lower-case name; those of the connection and of no meaning are left out. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly closed: boolean;
}

export interface Difference {
  readonly id: string;
  readonly reason: string;
  readonly applies: (call: RecordedCall, recorded: Answer) => boolean;
  /** What is answered here instead; it must differ. `body` may be a pattern. */
  readonly here: (recorded: Answer, call: RecordedCall) => Omit<Answer, 'body'> & { readonly body: string | RegExp };
}

const TEXT = 'text/plain;charset=UTF-8';
const isWrite = ({ method, target }: RecordedCall): boolean =>
  ['POST', 'PUT', 'DELETE'].includes(method) && target.startsWith('/api/1/dtabs/');
const isNamed =
  (...names: (string | RegExp)[]) =>
  ({ name }: RecordedCall): boolean =>
    names.some((each) => (typeof each === 'string' ? each === name : each.test(name)));

function withoutLength(headers: Answer['headers']): Answer['headers'] {
  const { 'content-length': _length, ...others } = headers;
  return others;
}

/** The refusal of a request in place of an error of the original's own. */
const refused = (recorded: Answer, body: RegExp): ReturnType<Difference['here']> => ({
  ...recorded,
  status: 400,
  headers: { 'content-type': TEXT },
  body,
  closed: false,
});

export const differences: readonly Difference[] = [
  {
    id: 'missing-parameter',
    reason: "a request without `path` is the client's mistake: 400 that says so, where the original fails with 500",
    applies: isNamed(/ no path param$/, /^addr( default)? no param$/, 'delegate POST json'),
    here: (recorded) => refused(recorded, /^Invalid path: the parameter "path" is missing$/),
  },
  {
    id: 'bad-dtab-parameter',
    reason:
      "a `dtab` that can't be read is the client's mistake: 400 with the place, where the original fails with 500",
    applies: isNamed(/ bad dtab param$/),
    here: (recorded) => refused(recorded, /^Invalid dtab: '\/' expected but 'h' found at '\[h\]ello'$/),
  },
  {
    id: 'circles-fail',
    reason: 'a name that goes round in circles fails with the reason, and the connection is kept',
    applies: isNamed('bind default loop', 'resolve default loop'),
    here: (recorded) => ({
      ...recorded,
      headers: { 'content-type': TEXT },
      body: /^Max recursion level: 100 reached/,
      closed: false,
    }),
  },
  {
    id: 'circles-are-shown',
    reason: 'a delegation that goes round in circles is shown down to the limit: so the circle can be seen',
    applies: isNamed('delegate default loop'),
    here: (recorded) => ({
      ...recorded,
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: /^\{"type":"delegate","path":"\/x",.*Max recursion level reached/,
      closed: false,
    }),
  },
  {
    id: 'errors-say-why',
    reason: 'whoever posts a bad dtab learns what is wrong with it; the original tells only those who put it',
    applies: (call, { status, body }) => call.method === 'POST' && isWrite(call) && status === 400 && body === '',
    here: (recorded) => refused(recorded, /./),
  },
  {
    id: 'errors-say-where',
    reason: "the place of a mistake in line and column follows the original's message",
    applies: isNamed('PUT bad dtab'),
    here: (recorded) => ({
      ...recorded,
      headers: { 'content-type': TEXT },
      body: `${recorded.body} (line 1, column 1)`,
    }),
  },
  {
    id: 'typed-errors',
    reason: 'errors have a content type: browsers guess at a body without one, and this one repeats what was asked',
    applies: ({ name }, { status, body }) => status === 400 && body !== '' && name !== 'PUT bad dtab',
    here: (recorded) => ({ ...recorded, headers: { ...recorded.headers, 'content-type': TEXT } }),
  },
  {
    id: 'dst-is-needed',
    reason: 'an entry without `dst` leads nowhere and is a mistake',
    applies: isNamed('create json missing dst'),
    here: (recorded) => refused(recorded, /^Entry 1 of the dtab: "dst" is missing$/),
  },
  {
    id: 'writes-say-the-version',
    reason: 'a writer learns which version it made (`Dtab-Version`), or which one stands in its way',
    applies: (call, { status }) =>
      isWrite(call) && [204, 409, 412].includes(status) && !isNamed('create json missing dst')(call),
    here: (recorded) => ({
      ...recorded,
      headers: {
        ...(recorded.status === 412 ? { 'content-type': TEXT } : withoutLength(recorded.headers)),
        ...(recorded.status === 409 ? { 'content-length': '0' } : {}),
        'dtab-version': 'AAAAAAAAAA.=',
      },
      body: recorded.status === 412 ? /^The current version is AAAAAAAAAA.=\n$/ : '',
    }),
  },
  {
    id: 'head-is-like-get',
    reason: 'HEAD says what GET would, and the connection is kept (RFC 9110 section 9.3.2)',
    applies: ({ method, target }) => method === 'HEAD' && target.startsWith('/api/1/dtabs/'),
    here: (recorded) => ({
      ...recorded,
      headers:
        recorded.status === 404
          ? { 'content-length': '0' }
          : { ...recorded.headers, 'content-type': 'application/json', 'content-length': '41' },
      closed: false,
    }),
  },
  {
    id: 'accept-by-q',
    reason: 'the type that a client likes best is the one with the highest q (RFC 9110 section 12.5.1)',
    applies: isNamed('get default Accept application/dtab;q=0.5, application/json'),
    here: (recorded) => ({
      ...recorded,
      headers: { ...recorded.headers, 'content-type': 'application/json', 'content-length': '41' },
      body: '[{"prefix":"/svc","dst":"/#/io.l5d.fs"}]\n',
    }),
  },
  {
    id: 'names-are-decoded',
    reason: 'a%20b is the namespace "a b"; and what was refused above does not exist',
    applies: ({ target, method }, { status, body }) =>
      target === '/api/1/dtabs' && method !== 'HEAD' && status === 200 && body.includes('a%20b'),
    here: (recorded) => {
      const names = (JSON.parse(recorded.body) as string[]).filter((name) => name !== 'bad');
      const body = `${JSON.stringify(names.map(decodeURIComponent).sort())}\n`;
      return { ...recorded, headers: { ...recorded.headers, 'content-length': String(body.length) }, body };
    },
  },
];
