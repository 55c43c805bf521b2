/**
 * wrk: as many requests as the proxy can carry over a fixed number of connections.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../children.ts';
import { HOST } from '../peers/peer.ts';
import type { LoadResult } from './result.ts';

export interface WrkLoad {
  readonly wrk: string;
  readonly core: number;
  /** Where its script may be written. */
  readonly folder: string;
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Length of a body to PUT; without one it GETs. */
  readonly bodyBytes?: number;
  /** Host names to ask for in turn, in an order that is shuffled once; without them it is HOST alone. */
  readonly hosts?: readonly string[];
  /** What each connection waits before each request, ms; none: nothing. */
  readonly pauseMs?: number;
}

/**
 * wrk calls `done` once, with latencies in microseconds. A `request` function costs Lua time for every request, so the
 * script has one only when requests differ.
 */
function script(load: WrkLoad): string {
  const parts = [
    `function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nRESULT {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end`,
  ];
  if (load.bodyBytes !== undefined) {
    parts.push(`wrk.method = "PUT"\nwrk.body = string.rep("x", ${load.bodyBytes})`);
  }
  if (load.hosts !== undefined) {
    parts.push(`local hosts = { ${load.hosts.map((host) => `"${host}"`).join(',')} }
local ready, turn = {}, 0
function init(args)
  math.randomseed(1)
  for i = #hosts, 2, -1 do
    local j = math.random(i)
    hosts[i], hosts[j] = hosts[j], hosts[i]
  end
  for i, host in ipairs(hosts) do ready[i] = wrk.format(nil, nil, { Host = host }) end
end
function request()
  turn = turn % #ready + 1
  return ready[turn]
end`);
  }
  if (load.pauseMs !== undefined) parts.push(`function delay() return ${load.pauseMs} end`);
  return parts.join('\n');
}

/** Reads the line that our script's `done` wrote; throws when it is not there. */
export function parseWrk(stdout: string): LoadResult {
  const line = /^RESULT (\{.*\})$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result: ${stdout.slice(-500)}`);
  const { requests, durationUs, p50Us, p99Us, errors } = JSON.parse(line) as Record<string, number>;
  if (requests === undefined || durationUs === undefined || p50Us === undefined || p99Us === undefined) {
    throw new Error(`wrk printed an incomplete result: ${line}`);
  }
  return { requests, rps: (requests * 1_000_000) / durationUs, p50Us, p99Us, errors: errors ?? 0 };
}

export async function wrk(load: WrkLoad): Promise<LoadResult> {
  const file = join(load.folder, 'wrk.lua');
  writeFileSync(file, script(load));
  const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '5s', '--latency', '-s', file];
  const url = `http://127.0.0.1:${load.port}${load.path}`;
  return parseWrk(await run('wrk', load.core, { file: load.wrk, args: [...args, '-H', `Host: ${HOST}`, url] }));
}
