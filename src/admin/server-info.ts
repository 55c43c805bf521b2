/** `/admin/server_info`: what runs here and since when. */
import { type ControlHandler, type ControlResponse, prettyJson } from '../control-http/index.ts';

/** Its keys are the original's; what a build does not know of itself it calls so too. */
export function serverInfoHandler(name: string, version: string): ControlHandler {
  const startedMs = Date.now() - process.uptime() * 1000;
  return (): ControlResponse =>
    prettyJson(200, {
      name,
      version,
      build: version,
      build_revision: 'unknown',
      build_branch_name: 'unknown',
      build_last_few_commits: ['unknown'],
      scm_repository: 'unknown',
      merge_base: 'unknown',
      merge_base_commit_date: 'unknown',
      start_time: new Date(startedMs).toUTCString(),
      uptime: Math.round(process.uptime() * 1000),
    });
}
