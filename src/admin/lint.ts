/** `/admin/lint`: what the config's checks warned about at the start, for whoever did not see the log then. */
import { type ControlHandler, prettyJson } from '../control-http/index.ts';

const RULE = {
  category: 'Configuration',
  id: 'config-warnings',
  name: 'Configuration warnings',
  description: 'The config was accepted, but something in it does not do what it says.',
};

export function lintHandler(warnings: readonly string[]): ControlHandler {
  const failed = warnings.length > 0;
  const results = {
    metadata: {
      num_rules_run: 1,
      num_rules_ok: failed ? 0 : 1,
      num_rules_failed: failed ? 1 : 0,
      num_issues_found: warnings.length,
    },
    failed_rules: failed ? [{ ...RULE, issues: warnings }] : [],
    ok_rules: failed ? [] : [RULE.id],
  };
  return () => prettyJson(200, { lint_results: results });
}
