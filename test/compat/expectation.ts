/** What an exchange should look like at both ends: the recording, changed by the listed differences, in a form to match. */
import type { Message } from '../support/http-message.ts';

/** A text that must be equal, or a pattern where the wording is free. */
export type Text = string | RegExp;

export interface ExpectedMessage {
  start: Text;
  headers: (readonly [name: string, value: Text])[];
  body: Text;
  trailers: (readonly [name: string, value: Text])[];
  complete: boolean;
}

export interface ExpectedRequest {
  /** Recorded ports of the backends of which one gets it. */
  ports: readonly number[];
  message: ExpectedMessage;
}

export interface Expectation {
  /** Interim responses included. */
  responses: ExpectedMessage[];
  /** Whether the proxy closes the client's connection. */
  closed: boolean;
  requests: ExpectedRequest[];
  /** The last request may arrive this many times in all: retries are bounded, not counted. */
  repeats?: number;
  /** Backends may have got parts of requests that the proxy then broke off. */
  mayAbandonRequests?: boolean;
}

export interface ActualRequest {
  /** Recorded port of the backend that got it. */
  port: number;
  message: Message;
}

export interface Actual {
  responses: Message[];
  closed: boolean;
  requests: ActualRequest[];
}

export function isFinal(message: ExpectedMessage): boolean {
  const status = expectedStatus(message);
  return status >= 200 || status === 101;
}

/** The status of an expected response; 0 if only a pattern without a status is known. */
export function expectedStatus(message: ExpectedMessage): number {
  const text = typeof message.start === 'string' ? message.start : message.start.source;
  return Number(/\b(\d{3})\b/.exec(text)?.[1] ?? 0);
}

export function findHeader(message: ExpectedMessage, name: string): Text | undefined {
  const wanted = name.toLowerCase();
  return message.headers.find(([other]) => other.toLowerCase() === wanted)?.[1];
}

export function removeHeader(message: ExpectedMessage, name: string): void {
  const unwanted = name.toLowerCase();
  message.headers = message.headers.filter(([other]) => other.toLowerCase() !== unwanted);
}

export function setHeader(message: ExpectedMessage, name: string, value: Text): void {
  removeHeader(message, name);
  message.headers.push([name, value]);
}
