/** What `namerd --help` says below the list of commands. */
import { flagsHelp } from '../src/program/flags.ts';

export const helpText = `
${flagsHelp}

Examples:
  namerd namerd.yaml                     run a config; SIGTERM or Ctrl-C drains, a second one ends at once
  namerd -log.level=DEBUG namerd.yaml
  cat namerd.yaml | namerd -             read it from stdin
  namerd check namerd.yaml -o json       say all that is wrong with it, for tools
  namerd schema > namerd.schema.json
  namerd backup namerd.yaml dtabs-backup.sqlite
  namerd copy --from old.yaml --to new.yaml --dry-run
                                         say what moving to another storage would do

Exit codes:
  0    stopped gracefully; the config is valid; all was copied
  1    wrong usage, a config with errors, or it could not start (a port is taken, a storage can not be opened)
  2    copy: a namespace was not copied
  130  a second SIGINT (143: a second SIGTERM) while it was draining`;
