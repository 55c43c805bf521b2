/** A plain HTTP client for tests: Node's own, one connection a request, optionally through a forward proxy. */
import http from 'node:http';

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** Port of an HTTP proxy on loopback, asked with the absolute form. */
  readonly proxyPort?: number;
  readonly agent?: http.Agent;
  readonly body?: string;
}

export function httpRequest(url: string, options: RequestOptions = {}): Promise<Reply> {
  const { method = 'GET', headers = {}, proxyPort, agent = false, body } = options;
  const { host, hostname, port, pathname, search } = new URL(url);
  const to =
    proxyPort === undefined
      ? { host: hostname, port: port || 80, path: pathname + search }
      : { host: '127.0.0.1', port: proxyPort, path: url };
  return new Promise((resolve, reject) => {
    const request = http.request({ ...to, method, headers: { host, ...headers }, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}
