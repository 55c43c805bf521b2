/** What io.linkerd.mesh.Interpreter is asked and answers. */
import type { BoundId, Dtab, NameTree } from '../naming/index.ts';
import { Path } from '../naming/index.ts';
import { readDtab, readOnly, readPath, readTree, writeDtab, writePath, writeTree } from './naming-messages.ts';
import { ProtoError, type ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** `{ Path root = 1, Path name = 2, Dtab dtab = 3 }`; what is absent was not sent. */
export interface BindRequest {
  readonly root?: Path | undefined;
  readonly name?: Path | undefined;
  readonly dtab?: Dtab | undefined;
}

export function writeBindRequest(writer: ProtoWriter, { root, name, dtab }: BindRequest): void {
  if (root !== undefined) writer.message(1, () => writePath(writer, root));
  if (name !== undefined) writer.message(2, () => writePath(writer, name));
  if (dtab !== undefined) writer.message(3, () => writeDtab(writer, dtab));
}

export function readBindRequest(reader: ProtoReader): BindRequest {
  let root: Path | undefined;
  let name: Path | undefined;
  let dtab: Dtab | undefined;
  while (reader.next()) {
    if (reader.field === 1) root = readPath(reader.message());
    else if (reader.field === 2) name = readPath(reader.message());
    else if (reader.field === 3) dtab = readDtab(reader.message());
    else reader.skip();
  }
  return { root, name, dtab };
}

/** BoundTreeRsp: `{ BoundNameTree tree = 1 }`. */
export function writeBoundTree(writer: ProtoWriter, tree: NameTree<BoundId>): void {
  writer.message(1, () => writeTree(writer, tree, (name) => writeBoundId(writer, name)));
}

export function readBoundTree(reader: ProtoReader): NameTree<BoundId> {
  const tree = readOnly(reader, () => readTree(reader.message(), readBoundId));
  if (tree === undefined) throw new ProtoError('an answer without a tree');
  return tree;
}

/** The leaf of a bound tree, also of a delegation: `{ Path id = 1, Path residual = 2 }`. */
export function writeBoundId(writer: ProtoWriter, { id, residual }: BoundId): void {
  writer.message(1, () => writePath(writer, id));
  writer.message(2, () => writePath(writer, residual));
}

export function readBoundId(reader: ProtoReader): BoundId {
  let id: Path | undefined;
  let residual = Path.empty;
  while (reader.next()) {
    if (reader.field === 1) id = readPath(reader.message());
    else if (reader.field === 2) residual = readPath(reader.message());
    else reader.skip();
  }
  if (id === undefined) throw new ProtoError('a leaf without an id');
  return { id, residual };
}
