/**
 * As much of curl as the documents use, so that tests can follow them on a machine without it:
 * `node curl.ts [-s] [-X METHOD] [-H FIELD]... [--data TEXT] [-o /dev/null] [-w FORMAT] URL`.
 */
import { parseArgs } from 'node:util';
import { httpRequest } from './http-get.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    silent: { type: 'boolean', short: 's' },
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true, default: [] },
    data: { type: 'string' },
    output: { type: 'string', short: 'o' },
    'write-out': { type: 'string', short: 'w', default: '' },
  },
});
const [url = ''] = positionals;
const { data, request = data === undefined ? 'GET' : 'POST', header, output } = values;
const fields = header.map((field) => field.split(/: */, 2) as [string, string]);
const headers = { Accept: '*/*', ...Object.fromEntries(fields) };
const target = new URL(url.includes('://') ? url : `http://${url}`);
const {
  status,
  headers: answered,
  body,
} = await httpRequest(target.href, {
  method: request,
  headers,
  ...(data === undefined ? {} : { body: data }),
});
if (output === undefined) process.stdout.write(body);
process.stdout.write(
  values['write-out']
    .replaceAll('%{http_code}', String(status))
    .replace(/%header\{([^}]+)\}/g, (_, name: string) => String(answered[name.toLowerCase()] ?? ''))
    .replaceAll('\\n', '\n'),
);
