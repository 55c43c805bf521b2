/** Keys that storages on other servers share. */
import type { Z } from '../../../src/config/kind.ts';
import * as scalars from '../../../src/config/scalars.ts';

/** A path of keys: `/namerd/dtabs`. */
export function pathPrefix(z: Z) {
  return scalars.checked(z, 'a path of keys such as /namerd/dtabs', (text) =>
    /^(\/[^/\p{Cc}]+)+\/?$/u.test(text)
      ? undefined
      : { message: `${scalars.show(text)} is no path such as /namerd/dtabs` },
  );
}

/** Where the notices of namerds stand, beside the dtabs below a prefix. Both end with `/`. */
export function noticePrefix(prefix: string): string {
  return prefix.replace(/\/$/, '.notices/');
}
