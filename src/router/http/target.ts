/** Request targets: what arrives in absolute-form, as clients of a proxy send it, leaves in origin-form. */
import type { RequestHead } from '../../wire/head.ts';
import { absoluteForm, targetFault } from '../../wire/request-target.ts';

/**
 * Rewrites an absolute-form target to origin-form; its authority becomes the Host, whatever the Host header said
 * (RFC 9112 3.2.2). Returns what is wrong with the target, or null.
 */
export function normalizeTarget(head: RequestHead): string | null {
  const { method, target } = head;
  const fault = targetFault(method, target);
  if (fault !== null || method === 'CONNECT') return fault;
  const absolute = absoluteForm(target);
  if (absolute === null) return null;
  const { authority, rest } = absolute;
  if (rest === '' && method === 'OPTIONS') head.setTarget('*');
  else head.setTarget(rest.startsWith('/') ? rest : `/${rest}`);
  head.remove('host');
  head.append('Host', authority);
  return null;
}
