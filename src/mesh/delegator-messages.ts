/** What io.linkerd.mesh.Delegator is asked and answers. */
import { type BoundId, type DelegateTree, Dentry, Dtab, type NameTree, NEG, Path, Prefix } from '../naming/index.ts';
import { readBoundId, writeBoundId } from './interpreter-messages.ts';
import {
  readDentry,
  readDtab,
  readOnly,
  readPath,
  readPathTree,
  readTrees,
  readWeighted,
  writeDentry,
  writeDtab,
  writePath,
  writePathTree,
} from './naming-messages.ts';
import { ProtoError, type ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** A dtab, and the opaque bytes that name this state of it. */
export interface VersionedDtab {
  readonly dtab: Dtab;
  readonly version: Uint8Array;
}

/** DtabRsp: `{ VersionedDtab dtab = 1 { Version version = 1 { bytes id = 1 }, Dtab dtab = 2 } }`. */
export function writeVersionedDtab(writer: ProtoWriter, { dtab, version }: VersionedDtab): void {
  writer.message(1, () => {
    writer.message(1, () => writer.bytes(1, version));
    writer.message(2, () => writeDtab(writer, dtab));
  });
}

export function readVersionedDtab(reader: ProtoReader): VersionedDtab {
  const versioned = readOnly(reader, () => readVersionAndDtab(reader.message()));
  if (versioned === undefined) throw new ProtoError('an answer without a dtab');
  return versioned;
}

function readVersionAndDtab(reader: ProtoReader): VersionedDtab {
  let version: Uint8Array = new Uint8Array();
  let dtab = Dtab.empty;
  while (reader.next()) {
    if (reader.field === 1) version = readVersion(reader.message());
    else if (reader.field === 2) dtab = readDtab(reader.message());
    else reader.skip();
  }
  return { version, dtab };
}

function readVersion(reader: ProtoReader): Uint8Array {
  return readOnly(reader, () => reader.bytes()) ?? new Uint8Array();
}

/** `{ Path root = 1, PathNameTree tree = 2, Dtab dtab = 3 }`; what is absent was not sent. */
export interface DelegateRequest {
  readonly root?: Path | undefined;
  readonly tree?: NameTree<Path> | undefined;
  readonly dtab?: Dtab | undefined;
}

export function writeDelegateRequest(writer: ProtoWriter, { root, tree, dtab }: DelegateRequest): void {
  if (root !== undefined) writer.message(1, () => writePath(writer, root));
  if (tree !== undefined) writer.message(2, () => writePathTree(writer, tree));
  if (dtab !== undefined) writer.message(3, () => writeDtab(writer, dtab));
}

export function readDelegateRequest(reader: ProtoReader): DelegateRequest {
  let root: Path | undefined;
  let tree: NameTree<Path> | undefined;
  let dtab: Dtab | undefined;
  while (reader.next()) {
    if (reader.field === 1) root = readPath(reader.message());
    else if (reader.field === 2) tree = readPathTree(reader.message());
    else if (reader.field === 3) dtab = readDtab(reader.message());
    else reader.skip();
  }
  return { root, tree, dtab };
}

/** DelegateTreeRsp: `{ BoundDelegateTree tree = 1 }`. */
export function writeDelegation(writer: ProtoWriter, tree: DelegateTree<BoundId>): void {
  writer.message(1, () => writeNode(writer, tree));
}

export function readDelegation(reader: ProtoReader): DelegateTree<BoundId> {
  const tree = readOnly(reader, () => readNode(reader.message()));
  if (tree === undefined) throw new ProtoError('an answer without a tree');
  return tree;
}

/** Stands for no entry: Linkerd's readers refuse a node without one, and its own root has this. */
const NO_ENTRY = new Dentry(new Prefix([]), NEG);

/**
 * BoundDelegateTree: `{ path 1, dentry 2, oneof: neg 3, fail 4, empty 5, alt 6, union 7, leaf 8, delegate 9, transformation 10,
 * exception 11 }`.
 */
function writeNode(writer: ProtoWriter, tree: DelegateTree<BoundId>): void {
  writer.message(1, () => writePath(writer, tree.path));
  writer.message(2, () => writeDentry(writer, tree.dentry ?? NO_ENTRY));
  switch (tree.type) {
    case 'neg':
      writer.message(3);
      break;
    case 'fail':
      writer.message(4);
      break;
    case 'empty':
      writer.message(5);
      break;
    case 'alt':
      writer.message(6, () => {
        for (const child of tree.trees) writer.message(1, () => writeNode(writer, child));
      });
      break;
    case 'union':
      writer.message(7, () => {
        for (const { weight, tree: child } of tree.trees) {
          writer.message(1, () => {
            writer.double(1, weight);
            writer.message(2, () => writeNode(writer, child));
          });
        }
      });
      break;
    case 'leaf':
      writer.message(8, () => writeBoundId(writer, tree.bound));
      break;
    case 'delegate':
      writer.message(9, () => writeNode(writer, tree.tree));
      break;
    case 'transformation':
      writer.message(10, () => {
        writer.text(1, tree.name);
        writer.message(2, () => writeBoundId(writer, tree.bound));
        writer.message(3, () => writeNode(writer, tree.tree));
      });
      break;
    case 'exception':
      writer.text(11, tree.message);
      break;
  }
}

/** The original puts this before what went wrong. */
const EXCEPTION_PREFIX = 'BoundDelegateTree Exception: ';

function readNode(reader: ProtoReader): DelegateTree<BoundId> {
  let path = Path.empty;
  let dentry: Dentry | undefined;
  let node: DelegateTree<BoundId> | undefined;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        path = readPath(reader.message());
        break;
      case 2:
        dentry = entryOf(readDentry(reader.message()));
        break;
      default:
        node = readKind(reader) ?? node;
    }
  }
  if (node === undefined) throw new ProtoError('a delegation without a node');
  return { ...node, path, dentry };
}

function entryOf(dentry: Dentry): Dentry | undefined {
  return dentry.prefix.length === 0 && dentry.tree.type === 'neg' ? undefined : dentry;
}

/** The node that the field stands for, without its path and entry yet; undefined for a field that is not known. */
function readKind(reader: ProtoReader): DelegateTree<BoundId> | undefined {
  const path = Path.empty;
  switch (reader.field) {
    case 3:
      reader.skip();
      return { type: 'neg', path };
    case 4:
      reader.skip();
      return { type: 'fail', path };
    case 5:
      reader.skip();
      return { type: 'empty', path };
    case 6:
      return { type: 'alt', path, trees: readTrees(reader.message(), readNode) };
    case 7:
      return { type: 'union', path, trees: readTrees(reader.message(), (child) => readWeighted(child, readNode)) };
    case 8:
      return { type: 'leaf', path, bound: readBoundId(reader.message()) };
    case 9:
      return { type: 'delegate', path, tree: readNode(reader.message()) };
    case 10:
      return readTransformation(reader.message());
    case 11: {
      const message = reader.text();
      const isPrefixed = message.startsWith(EXCEPTION_PREFIX);
      return { type: 'exception', path, message: isPrefixed ? message.slice(EXCEPTION_PREFIX.length) : message };
    }
    default:
      reader.skip();
      return undefined;
  }
}

function readTransformation(reader: ProtoReader): DelegateTree<BoundId> {
  let name = '';
  let bound: BoundId | undefined;
  let tree: DelegateTree<BoundId> | undefined;
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) bound = readBoundId(reader.message());
    else if (reader.field === 3) tree = readNode(reader.message());
    else reader.skip();
  }
  if (bound === undefined || tree === undefined) throw new ProtoError('a transformation without its leaf or its tree');
  return { type: 'transformation', path: Path.empty, name, bound, tree };
}
