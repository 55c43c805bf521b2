/** Where the metrics after the recorded traffic differ from the original's on purpose, and why. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Metric {
  /** As in metrics.json: segments joined with `/`. */
  readonly name: string;
  readonly value: number;
  readonly isCounter: boolean;
}

export interface Difference {
  readonly name: string;
  readonly recorded: Metric | undefined;
  readonly ours: Metric | undefined;
  readonly workers: number;
  /** Requests that were sent until then. */
  readonly requests: number;
}

interface Rule {
  readonly reason: string;
  /** Whether it is needed is not up to us, so nothing is said if it was not. */
  readonly byChance?: boolean;
  readonly names: RegExp;
  readonly applies?: (then: number, now: number, difference: Difference) => boolean;
}

const missing: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'metrics-missing.json'), 'utf8'),
);

const missingNames = Object.keys(missing).map((name) => {
  const source = name.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '.+');
  return new RegExp(`^${source}$`);
});

/** Whether a recorded name is one of those that are not there at all. */
export function isMissing(name: string): boolean {
  return missingNames.some((pattern) => pattern.test(name));
}

/** Those names as Prometheus text has them. */
export const missingFamilies = new Set(
  Object.keys(missing).map((name) =>
    name
      .split('/')
      .filter((segment) => !segment.startsWith('{'))
      .join(':')
      .replace(/[^\w:]/g, '_'),
  ),
);

/** The kernel deals connections out: now and then all of them to one worker. */
const DEALT_OUT = true;

/** `then` and `now` are 0 where there is no such metric. */
const rules: readonly Rule[] = [
  {
    reason: 'the gauge is brought up to date now and then: the requests that were just sent may be in it already',
    byChance: true,
    names: /\/retries\/budget$/,
    applies: (then, now, { requests }) => now >= then && now <= then + 0.2 * requests,
  },
  {
    reason: 'nothing was counted in it: all metrics of an owner are made with it, the original waits for a use',
    names: /^rt\/incoming\/(server|client|service)\//,
    applies: (_then, now, { recorded }) => recorded === undefined && now === 0,
  },
  {
    reason: 'the original forgets closes by the other side',
    names: /\/closes$/,
    applies: (then, now) => now > then,
  },
  {
    reason: 'each worker has connections of its own',
    byChance: DEALT_OUT,
    names: /client\/.+\/(connects|connections|pool_cached)$/,
    applies: (then, now, { workers }) => workers > 1 && now <= workers * then,
  },
  {
    reason: 'heads are written otherwise',
    names: /\/sent_bytes$/,
  },
  {
    reason: 'the very bytes of the later requests are not known',
    names: /server\/.+\/received_bytes$/,
    applies: (_then, _now, { requests }) => requests > 3,
  },
  {
    reason: 'threads have other names, and there are not as many',
    names: /\/thread_usage\/requests\//,
  },
  {
    reason: 'a request whose kept connection was dropped is sent again, on a fresh one, which is dropped too',
    names:
      /client\/#\/io\.l5d\.fs\/web\/(service\/svc\/web\/)?(requests|failures(\/com.*ChannelClosed.*)?|status\/error|retries\/requeues)$/,
    applies: (then, now) => now === then + 1,
  },
  {
    reason: 'where there are no endpoints there is no class of weights',
    names: /client\/#\/io\.l5d\.fs\/empty\/loadbalancer\/num_weight_classes$/,
    applies: (_then, now) => now === 0,
  },
  {
    reason: 'each worker binds the names of its own requests',
    byChance: DEALT_OUT,
    names: /\/(bindcache\/\w+\/misses|loadbalancer\/(adds|updates|rebuilds))$/,
    applies: (then, now, { workers }) => workers > 1 && now > then && now <= workers * then,
  },
];

const used = new Set<Rule>();

/** Whether a reason is listed why a metric differs. */
export function isKnown(difference: Difference): boolean {
  const [then, now] = [difference.recorded?.value ?? 0, difference.ours?.value ?? 0];
  const rule = rules.find(
    ({ names, applies }) => names.test(difference.name) && (applies?.(then, now, difference) ?? true),
  );
  if (rule !== undefined) used.add(rule);
  return rule !== undefined;
}

/** The reasons that no metric has needed. */
export function unusedReasons(): string[] {
  return rules.filter((rule) => rule.byChance !== true && !used.has(rule)).map(({ reason }) => reason);
}
