import { test } from 'tap';
import { parseFortio } from '../../bench/load/fortio.ts';
import { parseWrk } from '../../bench/load/wrk.ts';
import { cpuMicros, parseStat, utilisation } from '../../bench/machine.ts';

test('parseStat counts fields from the last parenthesis and adds up own and waited-for time', async (t) => {
  // utime 7, stime 8, cutime 20, cstime 30 ticks; the command's name is "a) (b".
  const text = '42 (a) (b) S 17 42 42 0 -1 4194304 100 0 0 0 7 8 20 30 20 0 1 0 12345 1000 200';
  t.same(parseStat(text), { pid: 42, parent: 17, cpuTicks: 65 });
});

const skip = process.platform === 'linux' ? false : 'it reads /proc';
test('cpuMicros sees the work of this very process', { skip }, async (t) => {
  const before = cpuMicros([process.pid]);
  const target = process.cpuUsage().user + 50_000;
  while (process.cpuUsage().user < target);
  t.ok(cpuMicros([process.pid]) > before);
});

test('utilisation is the busy share between two readings', async (t) => {
  t.equal(utilisation({ busy: 100, all: 1000 }, { busy: 175, all: 1100 }), 0.75);
  t.equal(utilisation({ busy: 100, all: 1000 }, { busy: 100, all: 1000 }), 0, 'no time has passed');
});

test("parseWrk reads our script's line among wrk's own words", async (t) => {
  const stdout = `Running 1s test @ http://127.0.0.1:21003/
  1 threads and 50 connections
  Latency Distribution
     50%    0.88ms
Requests/sec:  54794.10

RESULT {"requests":60000,"durationUs":1500000,"p50Us":883,"p99Us":1295,"errors":2}
`;
  t.same(parseWrk(stdout), { requests: 60000, rps: 40000, p50Us: 883, p99Us: 1295, errors: 2 });
});

test('parseWrk refuses output without a result', async (t) => {
  t.throws(() => parseWrk('unable to connect to 127.0.0.1:21003'), /no result: unable to connect/);
  t.throws(() => parseWrk('RESULT {"requests":1}\n'), /incomplete/);
});

test('parseFortio turns seconds into microseconds and counts what is neither 2xx nor 3xx', async (t) => {
  const report = {
    ActualQPS: 1999.5,
    RetCodes: { '-1': 3, '200': 7900, '302': 10, '503': 2 },
    DurationHistogram: {
      Count: 7915,
      Percentiles: [
        { Percentile: 50, Value: 0.00025 },
        { Percentile: 99, Value: 0.0015 },
      ],
    },
  };
  t.same(parseFortio(JSON.stringify(report)), { requests: 7915, rps: 1999.5, p50Us: 250, p99Us: 1500, errors: 5 });
  report.DurationHistogram.Percentiles.pop();
  t.throws(() => parseFortio(JSON.stringify(report)), /no 99th percentile/);
});
