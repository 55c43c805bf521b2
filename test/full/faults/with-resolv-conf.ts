/** Becomes Signpost in a mount namespace of its own, where /etc/resolv.conf is the file $RESOLV_CONF. Needs root. */
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const script = 'mount --bind "$RESOLV_CONF" /etc/resolv.conf && exec "$@"';
process.execve?.(
  '/usr/bin/unshare',
  ['unshare', '--mount', 'sh', '-c', script, 'sh', process.execPath, MAIN, ...process.argv.slice(2)],
  process.env,
);
