import { test } from 'tap';
import { parseCommandLine } from '../../src/program/flags.ts';

const nothing = { help: false, validate: false, logLevel: 'info', ignored: [], operands: [] };

test('the original flags', async (t) => {
  const cases: [string[], object | string][] = [
    [[], nothing],
    [['l.yaml'], { ...nothing, operands: ['l.yaml'] }],
    [['-'], { ...nothing, operands: ['-'] }],
    [['-validate', 'l.yaml'], { ...nothing, validate: true, operands: ['l.yaml'] }],
    [['l.yaml', '-validate=true'], { ...nothing, validate: true, operands: ['l.yaml'] }],
    [['-validate=false', 'l.yaml'], { ...nothing, operands: ['l.yaml'] }],
    [['-log.level=DEBUG', 'l.yaml'], { ...nothing, logLevel: 'debug', operands: ['l.yaml'] }],
    [['-log.level', 'warning', 'l.yaml'], { ...nothing, logLevel: 'warn', operands: ['l.yaml'] }],
    [['-help'], { ...nothing, help: true }],
    [['-h'], { ...nothing, help: true }],
    [['-log.output', '/dev/stdout', 'l.yaml'], { ...nothing, ignored: ['-log.output'], operands: ['l.yaml'] }],
    [['-log.append', 'l.yaml'], { ...nothing, ignored: ['-log.append'], operands: ['l.yaml'] }],
    [
      ['-com.twitter.finagle.tracing.debugTrace=true', 'l.yaml'],
      { ...nothing, ignored: ['-com.twitter.finagle.tracing.debugTrace'], operands: ['l.yaml'] },
    ],
    [['--', '-odd.yaml'], { ...nothing, operands: ['-odd.yaml'] }],
    [['-nope', 'l.yaml'], 'Error parsing flag "nope": flag undefined'],
    [['-nope=1'], 'Error parsing flag "nope": flag undefined'],
    [['-log.level'], 'Error parsing flag "log.level": no value'],
    [['-log.level=LOUD'], 'Error parsing flag "log.level": LOUD is none of OFF, FATAL'],
    [['-validate=maybe'], 'Error parsing flag "validate": maybe is neither true nor false'],
  ];
  for (const [args, expected] of cases) t.match(parseCommandLine(args), expected, args.join(' '));
});
