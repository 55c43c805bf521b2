/** Differences on purpose in what becomes of connections: Upgrade, CONNECT. */
import { header, listMembers, requestLine } from '../support/http-message.ts';
import type { Difference } from './differences.ts';
import { setHeader } from './expectation.ts';
import { exchangeFor, relayed } from './oracle.ts';

export const connectionRules: Difference[] = [
  {
    id: 'HTTP/1.0 clients learn that the connection is kept',
    reason: 'without `Connection: keep-alive` in the response they have to take it for closing',
    reference: 'RFC 9112 appendix C.2.2',
    change(expected, recorded) {
      const [request] = recorded.sentRequests;
      if (request === undefined || expected.closed || requestLine(request).version !== 'HTTP/1.0') return undefined;
      for (const response of expected.responses) setHeader(response, 'Connection', 'keep-alive');
      return expected;
    },
  },
  {
    id: 'Upgrade is forwarded',
    reason: 'WebSocket works; h2c alone is stripped as before, since it would tunnel requests past the router',
    reference: 'user-pains.md 13; RFC 9110 section 7.8',
    change(expected, recorded) {
      const [request] = recorded.sentRequests;
      const protocol = header(request?.headers ?? [], 'upgrade');
      if (request === undefined || protocol === undefined || protocol.toLowerCase().includes('h2c')) return undefined;
      if (!listMembers(request.headers, 'connection').includes('upgrade')) return undefined;
      for (const { message } of expected.requests) {
        setHeader(message, 'Connection', /^upgrade$/i);
        setHeader(message, 'Upgrade', protocol);
      }
      const switched = expected.responses.some((response) => String(response.start).includes(' 101 '));
      if (switched) expected.responses = relayed(recorded, request);
      return expected;
    },
  },
  {
    id: 'CONNECT is bound by its authority',
    reason:
      'a tunnel goes where the dtab says `<dstPrefix>/host:port` goes, never to the authority itself; where there is none, what follows is not read as requests',
    reference: 'user-pains.md 14; RFC 9110 section 9.3.6',
    change(_, recorded) {
      const [request] = recorded.sentRequests;
      if (request === undefined || requestLine(request).method !== 'CONNECT') return undefined;
      const { target } = requestLine(request);
      const refused = exchangeFor(recorded, target, target);
      if (refused === undefined) return undefined;
      for (const response of refused.responses) setHeader(response, 'Connection', 'close');
      return { ...refused, closed: true };
    },
  },
];
