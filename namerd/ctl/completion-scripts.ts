/** The completion scripts of the shells. Each asks `namerctl __complete` (completion.ts) and shows what it says. */

/** What is answered in the place of candidates where a file is wanted: the shell knows those best. */
export const FILES = ':files';

/** Bash takes words apart at = and :, and replaces only what follows the last of them. An old one has no index from the end. */
const bash = `# bash completion of namerctl
_namerctl() {
  local current words=() last=-1 i word rest candidates
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((last >= 0)) && [[ $word == [:=] || \${words[last]} == --*= || \${words[last]} == *: ]]; then
      words[last]+=$word
    else
      words[++last]=$word
    fi
  done
  current=\${words[last]}
  candidates=$("$1" __complete "\${words[@]}" 2>/dev/null) || return
  COMPREPLY=()
  if [[ $candidates == ${FILES} ]]; then
    compopt -o filenames 2>/dev/null || true
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${current#--*=}")
    return
  fi
  while IFS=$'\\t' read -r word rest; do
    [[ -n $word ]] || continue
    word=\${word#"\${current%"\${current##*[:=]}"}"}
    COMPREPLY+=("$(printf %q "$word")")
  done <<<"$candidates"
}
complete -F _namerctl namerctl
`;

const zsh = `#compdef namerctl
# zsh completion of namerctl
_namerctl() {
  local candidates line
  local -a described
  candidates=$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null) || return 1
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

const fish = `# fish completion of namerctl
function __namerctl_candidates
  set -l words (commandline --tokenize --cut-at-cursor --current-process)
  set -l current (commandline --current-token --cut-at-cursor)
  set -l candidates ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
  if test "$candidates" = ${FILES}
    __fish_complete_path (string replace --regex -- '^--[^=]*=' '' "$current")
  else
    printf '%s\\n' $candidates
  end
end
complete --command namerctl --no-files --arguments '(__namerctl_candidates)'
`;

export const SCRIPTS: Readonly<Record<string, string>> = { bash, zsh, fish };
