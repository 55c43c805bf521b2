/** Paths, trees and dtabs as messages of io.linkerd.mesh (reference/namerd.md section 6). */
import { ANY, Dentry, Dtab, EMPTY, FAIL, leaf, type NameTree, NEG, Path, Prefix } from '../naming/index.ts';
import { ProtoError, type ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

// -- Path { repeated bytes elems = 1 }

export function writePath(writer: ProtoWriter, path: Path): void {
  for (const segment of path.segments) writer.latin1(1, segment);
}

export function readPath(reader: ProtoReader): Path {
  const segments: string[] = [];
  while (reader.next()) {
    if (reader.field !== 1) reader.skip();
    else segments.push(nonEmpty(reader.latin1()));
  }
  return Path.of(segments);
}

/** A message whose only field is a path: DtabReq, ReplicasReq, ShowPathReq, ReadPathRsp. Absent is undefined. */
export function writeOptionalPath(writer: ProtoWriter, path: Path | undefined): void {
  if (path !== undefined) writer.message(1, () => writePath(writer, path));
}

export function readOptionalPath(reader: ProtoReader): Path | undefined {
  return readOnly(reader, () => readPath(reader.message()));
}

/** The value of field 1, alone in its message. */
export function readOnly<T>(reader: ProtoReader, read: () => T): T | undefined {
  let value: T | undefined;
  while (reader.next()) {
    if (reader.field === 1) value = read();
    else reader.skip();
  }
  return value;
}

function nonEmpty(segment: string): string {
  if (segment === '') throw new ProtoError('a path with an empty segment');
  return segment;
}

// -- PathNameTree and BoundNameTree { oneof: neg 1, fail 2, empty 3, alt 4, union 5, leaf 6 }, which differ in their leaves

export function writeTree<T>(writer: ProtoWriter, tree: NameTree<T>, writeLeaf: (value: T) => void): void {
  switch (tree.type) {
    case 'neg':
      writer.message(1);
      break;
    case 'fail':
      writer.message(2);
      break;
    case 'empty':
      writer.message(3);
      break;
    case 'alt':
      writer.message(4, () => {
        for (const child of tree.trees) writer.message(1, () => writeTree(writer, child, writeLeaf));
      });
      break;
    case 'union':
      writer.message(5, () => {
        for (const { weight, tree: child } of tree.trees) {
          writer.message(1, () => {
            writer.double(1, weight);
            writer.message(2, () => writeTree(writer, child, writeLeaf));
          });
        }
      });
      break;
    case 'leaf':
      writer.message(6, () => writeLeaf(tree.value));
      break;
  }
}

export function readTree<T>(reader: ProtoReader, readLeaf: (reader: ProtoReader) => T): NameTree<T> {
  let tree: NameTree<T> | undefined;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        tree = NEG;
        reader.skip();
        break;
      case 2:
        tree = FAIL;
        reader.skip();
        break;
      case 3:
        tree = EMPTY;
        reader.skip();
        break;
      case 4:
        tree = { type: 'alt', trees: readTrees(reader.message(), (child) => readTree(child, readLeaf)) };
        break;
      case 5:
        tree = {
          type: 'union',
          trees: readTrees(reader.message(), (child) => readWeighted(child, (inner) => readTree(inner, readLeaf))),
        };
        break;
      case 6:
        tree = leaf(readLeaf(reader.message()));
        break;
      default:
        reader.skip();
    }
  }
  if (tree === undefined) throw new ProtoError('a tree without a node');
  return tree;
}

/** Alternatives and unions alike: `{ repeated trees = 1 }`. */
export function readTrees<T>(reader: ProtoReader, readChild: (reader: ProtoReader) => T): T[] {
  const trees: T[] = [];
  while (reader.next()) {
    if (reader.field === 1) trees.push(readChild(reader.message()));
    else reader.skip();
  }
  return trees;
}

/** A branch of a union: `{ weight 1, tree 2 }`. */
export function readWeighted<Tree>(
  reader: ProtoReader,
  readChild: (reader: ProtoReader) => Tree,
): { weight: number; tree: Tree } {
  let weight: number | undefined;
  let tree: Tree | undefined;
  while (reader.next()) {
    if (reader.field === 1) weight = reader.double();
    else if (reader.field === 2) tree = readChild(reader.message());
    else reader.skip();
  }
  if (tree === undefined) throw new ProtoError('a weight without a tree');
  // An encoder of protobuf's own leaves a zero out.
  if (weight !== undefined && !(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
    throw new ProtoError(`a weight of ${weight}`);
  }
  return { weight: weight ?? 0, tree };
}

/** A leaf of a dtab's tree: `{ id 1 }`. */
export function writePathTree(writer: ProtoWriter, tree: NameTree<Path>): void {
  writeTree(writer, tree, (path) => writeOptionalPath(writer, path));
}

export function readPathTree(reader: ProtoReader): NameTree<Path> {
  return readTree(reader, readPathLeaf);
}

function readPathLeaf(reader: ProtoReader): Path {
  const path = readOptionalPath(reader);
  if (path === undefined) throw new ProtoError('a leaf without a path');
  return path;
}

// -- Dtab { repeated Dentry dentries = 1 }, Dentry { Prefix prefix = 1, PathNameTree dst = 2 }

export function writeDtab(writer: ProtoWriter, dtab: Dtab): void {
  for (const dentry of dtab.entries) writer.message(1, () => writeDentry(writer, dentry));
}

export function readDtab(reader: ProtoReader): Dtab {
  const entries: Dentry[] = [];
  while (reader.next()) {
    if (reader.field === 1) entries.push(readDentry(reader.message()));
    else reader.skip();
  }
  return entries.length === 0 ? Dtab.empty : new Dtab(entries);
}

export function writeDentry(writer: ProtoWriter, { prefix, tree }: Dentry): void {
  writer.message(1, () => {
    for (const element of prefix.elements) {
      writer.message(1, () => (element === ANY ? writer.message(2) : writer.latin1(1, element)));
    }
  });
  writer.message(2, () => writePathTree(writer, tree));
}

export function readDentry(reader: ProtoReader): Dentry {
  let prefix: Prefix | undefined;
  let tree: NameTree<Path> | undefined;
  while (reader.next()) {
    if (reader.field === 1) prefix = readPrefix(reader.message());
    else if (reader.field === 2) tree = readPathTree(reader.message());
    else reader.skip();
  }
  if (prefix === undefined || tree === undefined) throw new ProtoError('a dentry without a prefix or a destination');
  return new Dentry(prefix, tree);
}

function readPrefix(reader: ProtoReader): Prefix {
  const elements: (string | typeof ANY)[] = [];
  while (reader.next()) {
    if (reader.field === 1) elements.push(readElement(reader.message()));
    else reader.skip();
  }
  return new Prefix(elements);
}

/** `{ oneof: bytes label 1, Wildcard wildcard 2 }`. */
function readElement(reader: ProtoReader): string | typeof ANY {
  let element: string | typeof ANY | undefined;
  while (reader.next()) {
    if (reader.field === 1) {
      element = nonEmpty(reader.latin1());
    } else {
      if (reader.field === 2) element = ANY;
      reader.skip();
    }
  }
  if (element === undefined) throw new ProtoError('an element of a prefix that is neither a label nor a wildcard');
  return element;
}
