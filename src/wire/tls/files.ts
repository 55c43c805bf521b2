/** The files of a TLS context, read at once when a config is checked, and watched while it is in use. */
import { readFileSync } from 'node:fs';
import { watchFile } from '../../files/index.ts';
import { type Activity, derive, failed, hasValue, type Live, ok, pending } from '../../live/index.ts';

/** Which files make a context; each list is put together. */
export interface TlsFiles {
  /** The certificate and its chain. */
  readonly cert: readonly string[];
  readonly key: readonly string[];
  readonly ca: readonly string[];
}

/** PEM texts; undefined where no file is named. */
export interface TlsMaterial {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly ca: string | undefined;
}

/** A system's whole bundle has about 220 KB. */
const MAX_BYTES = 2 * 1024 * 1024;

const PARTS = ['cert', 'key', 'ca'] as const;

/** Throws the system's error. */
export function readMaterialSync(files: TlsFiles): TlsMaterial {
  return together(files, (path) => readFileSync(path, 'utf8'));
}

/** Follows the files. A file that is missing or can't be read is a failure that names it. */
export function watchMaterial(files: TlsFiles): Live<Activity<TlsMaterial>> {
  const paths = [...new Set(PARTS.flatMap((part) => files[part]))];
  const watched = new Map(paths.map((path) => [path, watchFile(path, { maxBytes: MAX_BYTES })]));
  return derive(() => {
    const texts = new Map<string, string>();
    for (const [path, { value: now }] of watched) {
      if (now.phase === 'failed') return failed(new Error(`can't read ${path}: ${now.error.message}`));
      if (!hasValue(now)) return pending();
      if (now.value.state !== 'file')
        return failed(new Error(`${path} is ${now.value.state === 'directory' ? 'a directory' : 'missing'}`));
      texts.set(path, now.value.text);
    }
    return ok(together(files, (path) => texts.get(path) as string));
  });
}

function together(files: TlsFiles, read: (path: string) => string): TlsMaterial {
  const part = (paths: readonly string[]) => (paths.length === 0 ? undefined : paths.map(read).join('\n'));
  return { cert: part(files.cert), key: part(files.key), ca: part(files.ca) };
}
