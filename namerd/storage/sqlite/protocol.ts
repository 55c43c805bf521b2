/** What goes between the storage and the thread that has the database. Numbers stand for versions; they count from 1 for each namespace. */

export interface WriteRequest {
  readonly type: 'write';
  readonly id: number;
  readonly namespace: string;
  /** Null: delete. */
  readonly dtab: string | null;
  /** What has to be there for the write to happen; `any`: whatever. A number is the version. */
  readonly expected: 'any' | 'nothing' | 'something' | number;
  /** ms since 1970. */
  readonly at: number;
  readonly author: string | null;
  readonly isVerified: boolean;
  readonly message: string | null;
}

export interface HistoryRequest {
  readonly type: 'history';
  readonly id: number;
  readonly namespace: string;
  readonly limit: number;
}

export interface NoticesRequest {
  readonly type: 'notices';
  readonly id: number;
}

/** Replaces a notice, or (null) removes it. */
export interface NoticeRequest {
  readonly type: 'notice';
  readonly id: number;
  readonly name: string;
  readonly text: string | null;
}

/** What is answered by itself, and not with a group of writes. */
export type Question = HistoryRequest | NoticesRequest | NoticeRequest;

export interface CloseRequest {
  readonly type: 'close';
}

export type ToDatabase = WriteRequest | Question | CloseRequest;

export type WriteOutcome =
  | { readonly type: 'written'; readonly version: number }
  /** `current` is the version that is there; null: there is nothing. */
  | { readonly type: 'refused'; readonly current: number | null }
  | { readonly type: 'failed'; readonly reason: string };

/** A namespace as it is now. */
export interface Row {
  readonly name: string;
  readonly version: number;
  /** Null: it was deleted. */
  readonly dtab: string | null;
}

export interface PastRow {
  readonly version: number;
  readonly at: number;
  readonly dtab: string | null;
  readonly author: string | null;
  readonly isVerified: boolean;
  readonly message: string | null;
}

export interface NoticeRow {
  readonly name: string;
  readonly text: string;
}

/** To a question: rows of what it asked for; none to a notice. */
export type QuestionAnswer = readonly PastRow[] | readonly NoticeRow[];

export type FromDatabase =
  | { readonly type: 'opened'; readonly isNew: boolean; readonly rows: readonly Row[] }
  /** It can't be opened, for a reason that the user can mend. */
  | { readonly type: 'unusable'; readonly reason: string }
  /** In the order in which they were committed, one transaction. */
  | { readonly type: 'written'; readonly outcomes: readonly (readonly [id: number, outcome: WriteOutcome])[] }
  | { readonly type: 'answered'; readonly id: number; readonly rows: QuestionAnswer }
  | { readonly type: 'notAnswered'; readonly id: number; readonly reason: string }
  /** Another process changed these. */
  | { readonly type: 'changed'; readonly rows: readonly Row[] }
  | { readonly type: 'failing'; readonly reason: string }
  | { readonly type: 'recovered' };
