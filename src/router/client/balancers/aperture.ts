/**
 * aperture: p2c over a few endpoints, as many as the load needs: with a thousand endpoints and little traffic connections are
 * reused, and not one opened to each.
 *
 *     load / aperture >= highLoad: one endpoint more      <= lowLoad: one less, but not below minAperture
 *
 * Which ones come first is as good as random from host to host, and alike on all threads of this one.
 */
import { hostname } from 'node:os';
import * as defaults from '../../../config/defaults.ts';
import { defineKind } from '../../../config/kind.ts';
import { optional, unlessWrong } from '../../../config/kinds.ts';
import * as scalars from '../../../config/scalars.ts';
import { type Balancer, type BalancerContext, drawLessLoaded, type LoadWatcher, type Node } from './balancer.ts';
import { maxEffort } from './max-effort.ts';
import { WeightClasses } from './weight-classes.ts';

interface ApertureOptions {
  readonly smoothWindowMs: number;
  readonly lowLoad: number;
  readonly highLoad: number;
  readonly minAperture: number;
}

class Aperture implements Balancer<Node>, LoadWatcher {
  readonly #context: BalancerContext;
  readonly #options: ApertureOptions;
  /** Of this host's own order. */
  #nodes: readonly Node[] = [];
  #width: number;
  /** Requests in flight, now and on average. */
  #load = 0;
  #meanLoad = 0;
  #meanAtMs = 0;

  constructor(context: BalancerContext, options: ApertureOptions) {
    this.#context = context;
    this.#options = options;
    this.#width = options.minAperture;
  }

  update(nodes: readonly Node[]): void {
    const ranks = new Map(nodes.map((node) => [node, rankOf(node.address)]));
    this.#nodes = nodes.toSorted((a, b) => (ranks.get(a) as number) - (ranks.get(b) as number));
    for (const node of nodes) this.#adopt(node);
  }

  get aperture(): number {
    return Math.min(this.#width, this.#nodes.length);
  }

  pick(): Node | null {
    return drawLessLoaded(this.#context.random, this.#nodes, this.aperture);
  }

  loadChanged(_node: Node, change: number): void {
    this.#smooth();
    this.#load += change;
    const { lowLoad, highLoad, minAperture } = this.#options;
    const width = this.aperture;
    // The other threads have about as much.
    const load = (this.#meanLoad * this.#context.workers) / Math.max(1, width);
    if (load >= highLoad && width < this.#nodes.length) this.#width = width + 1;
    else if (load <= lowLoad && width > minAperture) this.#width = width - 1;
  }

  /** The load has been what it is since the last change. */
  #smooth(): void {
    const nowMs = this.#context.now();
    const kept = Math.exp(Math.min(0, this.#meanAtMs - nowMs) / this.#options.smoothWindowMs);
    this.#meanLoad = this.#meanLoad * kept + this.#load * (1 - kept);
    this.#meanAtMs = nowMs;
  }

  /** A node of another weight class until now takes its load along; one that is left out still ends its requests here. */
  #adopt(node: Node): void {
    if (node.watcher === this) return;
    node.watcher?.loadChanged(node, -node.load);
    node.watcher = this;
    this.#load += node.load;
  }
}

/** A host keeps its order when it starts again, and with it the backends that know it. */
const SALT = `${hostname()} `;

/** FNV-1a over the text, mixed once more, since its low bits hardly differ between neighbouring addresses. */
function rankOf(address: string): number {
  let hash = 0x811c9dc5;
  for (const character of SALT + address) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export const aperture = defineKind({
  kind: 'aperture',
  thread: 'data',
  summary: 'p2c over few endpoints, as many as the load needs.',
  config: (z) =>
    z
      .strictObject({
        maxEffort: maxEffort(z),
        smoothWindowMs: optional(
          scalars.int(z, { min: 1 }),
          'Time in ms over which load is averaged.',
          defaults.apertureSmoothWindowMs,
        ),
        lowLoad: optional(
          scalars.num(z, { min: 0 }),
          'Requests in flight for each endpoint at or below which there is one endpoint less.',
          defaults.apertureLowLoad,
        ),
        highLoad: optional(
          scalars.num(z, { min: 0 }),
          'Requests in flight for each endpoint at or above which there is one endpoint more.',
          defaults.apertureHighLoad,
        ),
        minAperture: optional(scalars.int(z, { min: 1 }), 'The fewest endpoints.', defaults.minAperture),
      })
      .superRefine(
        ({ lowLoad = defaults.apertureLowLoad, highLoad = defaults.apertureHighLoad }, context) => {
          if (lowLoad < highLoad) return;
          const message = `not below highLoad (${highLoad}): the aperture would never rest`;
          context.addIssue({ code: 'custom', path: ['lowLoad'], message });
        },
        unlessWrong('lowLoad', 'highLoad'),
      ),
  create: (config, context: BalancerContext): Balancer<Node> => {
    const options = {
      smoothWindowMs: config.smoothWindowMs ?? defaults.apertureSmoothWindowMs,
      lowLoad: config.lowLoad ?? defaults.apertureLowLoad,
      highLoad: config.highLoad ?? defaults.apertureHighLoad,
      minAperture: config.minAperture ?? defaults.minAperture,
    };
    return new WeightClasses(() => new Aperture(context, options), context.random);
  },
});
