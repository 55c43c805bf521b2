/** What `signpost --help` says below the list of commands. */
import { flagsHelp } from '../program/flags.ts';

export const helpText = `
${flagsHelp}

Examples:
  signpost linkerd.yaml                  run a config; SIGTERM or Ctrl-C drains, a second one ends at once
  signpost -log.level=DEBUG linkerd.yaml
  cat linkerd.yaml | signpost -          read it from stdin
  signpost check linkerd.yaml -o json    say all that is wrong with it, for tools
  signpost explain linkerd.yaml /svc/web -d '/host/web => /srv/web-v2'
  signpost schema > linkerd.schema.json
  signpost demo

Exit codes:
  0    stopped gracefully; the config is valid; the name is bound
  1    wrong usage, a config with errors, or it could not start (a port is taken)
  2    explain: the name is not bound
  130  a second SIGINT (143: a second SIGTERM) while it was draining`;
