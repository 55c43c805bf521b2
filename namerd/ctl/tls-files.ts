/** The files that say whom namerctl believes and who it is, checked before they are used: OpenSSL names neither file nor flag. */
import { readFileSync } from 'node:fs';
import { ExitCode, Failure, usageFailure } from './failure.ts';
import { reasonOf } from './files.ts';

/** Contents, in PEM. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** `pathOf` tells the path of a setting. Throws Failure, which names the setting whose file can't be used. */
export async function readTlsFiles(pathOf: (setting: string) => string | undefined): Promise<TlsFiles> {
  const [ca, cert, key] = ['cacert', 'cert', 'key'].map((setting) => contents(setting, pathOf(setting)));
  if (ca !== undefined) await requireUsable(`cacert: ${pathOf('cacert')}`, { ca });
  if (cert === undefined && key === undefined) return ca === undefined ? {} : { ca };
  if (key === undefined) throw usageFailure('cert: a certificate needs its key', 'Give its file too: --key FILE.');
  if (cert === undefined) throw usageFailure('key: a key needs its certificate', 'Give its file too: --cert FILE.');
  await requireUsable(`cert: ${pathOf('cert')}, key: ${pathOf('key')}`, { cert, key });
  return { ...(ca === undefined ? {} : { ca }), cert, key };
}

/** The text of a setting's file; undefined without a path. Throws Failure. */
export function contents(setting: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`${setting}: open ${path}: ${reasonOf(error)}`, ExitCode.usage);
  }
}

async function requireUsable(named: string, files: TlsFiles): Promise<void> {
  const { contextProblem } = await import('../../src/wire/tls/context.ts');
  const problem = contextProblem(() => files);
  if (problem !== undefined) throw new Failure(`${named}: ${problem}`, ExitCode.usage);
}
