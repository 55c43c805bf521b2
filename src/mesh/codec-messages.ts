/** What io.linkerd.mesh.Codec is asked and answers beside paths: `{ text = 1 }` and `{ Dtab dtab = 1 }`. Absent is undefined. */
import type { Dtab } from '../naming/index.ts';
import { readDtab, readOnly, writeDtab } from './naming-messages.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

export function writeOptionalText(writer: ProtoWriter, text: string | undefined): void {
  if (text !== undefined) writer.text(1, text);
}

export function readOptionalText(reader: ProtoReader): string | undefined {
  return readOnly(reader, () => reader.text());
}

export function writeOptionalDtab(writer: ProtoWriter, dtab: Dtab | undefined): void {
  if (dtab !== undefined) writer.message(1, () => writeDtab(writer, dtab));
}

export function readOptionalDtab(reader: ProtoReader): Dtab | undefined {
  return readOnly(reader, () => readDtab(reader.message()));
}
