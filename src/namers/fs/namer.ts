/** Names from a directory: a file is a service, directories make deeper names, and the first file met ends the name. */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { type DirectoryListing, watchDirectory } from '../../files/index.ts';
import {
  type Activity,
  andThen,
  Derivations,
  hasValue,
  type Live,
  observe,
  ok,
  type Publisher,
  Sources,
  sameActivity,
  stabilizer,
} from '../../live/index.ts';
import {
  type Addr,
  type BoundName,
  leaf,
  type Namer,
  type NamerTree,
  NEG,
  Path,
  sameAddr,
  sameBoundName,
  sameTree,
} from '../../naming/index.ts';
import type { NamerContext } from '../context.ts';
import { addrOf } from './replica-file.ts';
import { fileName, rootIsAway, type ServiceFile, ServiceFiles, showBadLines } from './service-files.ts';

/** Directories below the root that names() looks into: links can lead in circles. */
const MAX_DEPTH = 8;

export class FsNamer implements Namer {
  readonly #rootDir: string;
  readonly #context: NamerContext;
  readonly #files: ServiceFiles;
  readonly #trees: Derivations<Activity<NamerTree>>;
  readonly #addrs: Derivations<Addr>;
  readonly #listings: Sources<DirectoryListing>;
  readonly #names: Derivations<Activity<readonly Path[]>>;
  /** Of all names: the list that was known last, whether it was read just then or not. */
  readonly #stable = stabilizer<readonly Path[]>();

  constructor(rootDir: string, context: NamerContext) {
    this.#rootDir = resolve(rootDir);
    this.#context = context;
    const linger = context.lingerMs === undefined ? {} : { lingerMs: context.lingerMs };
    this.#files = new ServiceFiles(this.#rootDir, context.log, context.lingerMs);
    this.#trees = new Derivations({ ...linger, equals: sameActivity(sameNamerTree) });
    this.#addrs = new Derivations({ ...linger, equals: sameAddr });
    this.#listings = new Sources(
      (directory) => ({ start: (publish) => this.#followListing(directory, publish) }),
      linger,
    );
    this.#names = new Derivations({ ...linger, equals: sameActivity(samePaths) });
  }

  lookup(path: Path): Live<Activity<NamerTree>> {
    return this.#trees.get(path.show(), () => this.#find(path));
  }

  names(): Live<Activity<readonly Path[]>> {
    return this.#names.get('', () => this.#stable(this.#list([], MAX_DEPTH)));
  }

  state(): unknown {
    return { rootDir: this.#rootDir, files: this.#files.watched().map((file) => this.#stateOf(file)) };
  }

  close(): void {
    this.#files.close();
    for (const each of [this.#trees, this.#addrs, this.#listings, this.#names]) each.close();
  }

  /** Goes on below `directory`, which the first `consumed` segments of the path stand for. */
  #find(path: Path, consumed = 0, directory = ''): Activity<NamerTree> {
    const name = fileName(path.at(consumed) ?? '');
    // Also where the path ends: a directory is no service.
    if (name === undefined) return ok(NEG);
    return andThen(this.#files.find(directory, name), (found): Activity<NamerTree> => {
      const file = join(directory, name);
      if (found.state === 'missing') return ok(NEG);
      if (found.state === 'directory') return this.#find(path, consumed + 1, file);
      return ok(leaf(this.#boundName(file, path, consumed + 1)));
    });
  }

  #boundName(file: string, path: Path, consumed: number): BoundName {
    const addr = this.#addrs.get(file, () => this.#addrOf(this.#files.get(file).value));
    return { id: path.take(consumed), residual: path.drop(consumed), addr };
  }

  #addrOf(file: Activity<ServiceFile>): Addr {
    if (!hasValue(file)) {
      return file.phase === 'failed' ? { state: 'failed', cause: file.error.message } : { state: 'pending' };
    }
    if (file.value.state !== 'file') return { state: 'neg' };
    return addrOf(file.value, (host) => this.#resolve(host));
  }

  #resolve(host: string): Activity<readonly string[]> {
    return isIP(host) === 0 ? this.#context.resolver.resolve(host).value : ok([host]);
  }

  #list(directory: readonly string[], depth: number): Activity<readonly Path[]> {
    return andThen(this.#listings.get(join('.', ...directory)).value, (entries = []) => {
      const names: Path[] = [];
      for (const { name, kind } of entries) {
        // Hidden files are names too, but mostly somebody's leftovers (and Kubernetes' `..data`).
        if (name.startsWith('.')) continue;
        const segments = [...directory, name];
        if (kind === 'file') names.push(Path.utf8(...segments));
        if (kind !== 'directory' || depth === 0) continue;
        // What can't be listed is left out, rather than all that can.
        const inside = this.#list(segments, depth - 1);
        if (hasValue(inside)) names.push(...inside.value);
      }
      return ok(names);
    });
  }

  #followListing(directory: string, publish: Publisher<DirectoryListing>): () => void {
    // Lingering is done here already.
    return observe(watchDirectory(join(this.#rootDir, directory), { lingerMs: 0 }), (now) => {
      if (now.phase === 'ok') {
        // As of the files: nobody has said that the names are gone. Asked of the system, since the root's own watch may hear later.
        if (now.value === undefined && !existsSync(this.#rootDir)) publish.fail(rootIsAway(this.#rootDir));
        else publish.ok(now.value);
      } else if (now.phase === 'failed') publish.fail(now.error);
    });
  }

  #stateOf(file: string): object {
    const now = this.#files.get(file).value;
    const error = now.phase === 'failed' ? { error: now.error.message } : {};
    if (!hasValue(now)) return { file, state: now.phase, ...error };
    if (now.value.state !== 'file') return { file, state: now.value.state, ...error };
    const { mtimeMs, badLines } = now.value;
    const replicas = now.value.replicas.map((replica) => ({ ...replica, ...this.#stateOfHost(replica.host) }));
    const modified = new Date(mtimeMs).toISOString();
    return { file, state: 'file', modified, replicas, ...showBadLines(badLines), ...error };
  }

  /** What a host name stands for: a file whose hosts do not exist looks like any other, and its requests only fail to be routed. */
  #stateOfHost(host: string): object {
    if (isIP(host) !== 0) return {};
    const now = this.#resolve(host);
    const error = now.phase === 'failed' ? { error: now.error.message } : {};
    return hasValue(now) ? { addresses: now.value, ...error } : error;
  }
}

function sameNamerTree(a: NamerTree, b: NamerTree): boolean {
  return sameTree(a, b, (x, y) => {
    if (x instanceof Path || y instanceof Path) return x instanceof Path && y instanceof Path && x.equals(y);
    return sameBoundName(x, y);
  });
}

function samePaths(a: readonly Path[], b: readonly Path[]): boolean {
  return a.length === b.length && a.every((each, i) => each.equals(b[i]!));
}
