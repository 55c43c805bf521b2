/**
 * The completion scripts of the shells. Each asks `namerctl __complete` (completion.ts) and shows what it says. A shell tells of the
 * words as they are typed; namerctl is asked about what it would make of them, so that `--base-url "$NAMERD"` leads to that namerd.
 * But a key that only completes must run nothing: words with a command in them stay as they are.
 */

/** What is answered in the place of candidates where a file is wanted: the shell knows those best. */
export const FILES = ':files';

/**
 * Bash takes words apart at = and : outside of quotes, and replaces only what follows the last of them, or an open quote. An old one
 * has no index from the end.
 */
const bash = `# bash completion of namerctl
_namerctl() {
  local current words=() last=-1 i word rest candidates typed quote
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((last >= 0)) && [[ $word == [:=] || \${words[last]} == --*= || \${words[last]} == *: ]]; then
      words[last]+=$word
    else
      words[++last]=$word
    fi
  done
  current=\${words[last]}
  typed=\${COMP_WORDS[COMP_CWORD]}
  [[ $typed == [:=] ]] && typed=
  for i in "\${!words[@]}"; do
    [[ \${words[i]} == *[\\\`\\(\\;\\&\\|\\<\\>]* ]] && continue
    for quote in '' \\" \\'; do
      eval "word=\${words[i]}$quote" 2>/dev/null && words[i]=$word && break
    done
  done
  candidates=$("$1" __complete "\${words[@]}" 2>/dev/null) || return
  COMPREPLY=()
  if [[ $candidates == ${FILES} ]]; then
    compopt -o filenames 2>/dev/null || true
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${current#--*=}")
    return
  fi
  while IFS=$'\\t' read -r word rest; do
    [[ -n $word ]] || continue
    word=\${word#"\${current%"$typed"}"}
    [[ $typed == [\\"\\']* ]] || word=$(printf %q "$word")
    COMPREPLY+=("$word")
  done <<<"$candidates"
}
complete -F _namerctl namerctl
`;

const zsh = `#compdef namerctl
# zsh completion of namerctl
_namerctl() {
  local candidates line
  local -a asked described
  for line in "\${(@)words[2,CURRENT]}"; do
    [[ $line == *[\\(\\\`]* ]] || line=\${(e)line}
    line=\${(Q)line}
    # Of the word at the cursor, a quote may be open.
    line=\${line#[\\"\\']}
    asked+=("\${line/#\\~\\//$HOME/}")
  done
  candidates=$("\${words[1]}" __complete "\${(@)asked}" 2>/dev/null) || return 1
  if [[ $candidates == ${FILES} ]]; then
    [[ $PREFIX == --*=* ]] && compset -P '*='
    _files
    return
  fi
  for line in "\${(@f)candidates}"; do
    [[ -n $line ]] || continue
    line=\${line//:/\\\\:}
    described+=("\${line/$'\\t'/:}")
  done
  _describe namerctl described
}
if [[ \${funcstack[1]} == _namerctl ]]; then
  _namerctl "$@"
else
  compdef _namerctl namerctl
fi
`;

/** Files are completed as for any command: fish itself sees through quotes, `~` and `--flag=`. Before fish 4, variables stay as they are. */
const fish = `# fish completion of namerctl
function __namerctl_candidates
  set -l words (commandline --tokens-expanded --cut-at-cursor --current-process 2>/dev/null
    or commandline --tokenize --cut-at-cursor --current-process)
  set -l current (commandline --current-token --cut-at-cursor)
  set -l last (string unescape -- "$current")
  or set last "$current"
  set -l asked (string replace --regex -- '^~/' "$HOME/" $words[2..-1] "$last")
  set -l candidates ($words[1] __complete $asked 2>/dev/null)
  if test "$candidates" = ${FILES}
    complete --do-complete "'' $current"
  else
    printf '%s\\n' $candidates
  end
end
complete --command namerctl --no-files --arguments '(__namerctl_candidates)'
`;

export const SCRIPTS: Readonly<Record<string, string>> = { bash, zsh, fish };
