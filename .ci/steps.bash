# Sourced by .ci/run and .ci/full: runs steps, adds up their tests, and ends with `N passed, N failed`.
# The numbers of a tap step are tap's own. A step that ends badly without a failed test counts as one failed test, and
# so does every skipped or unfinished one: nothing passes by not being run.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

passed=0
failed=0

log() { printf '\n=== %s\n' "$*"; }

fail() {
  failed=$((failed + ${2:-1}))
  printf 'FAILED: %s\n' "$1"
}

# require LIMIT NAME COMMAND...: a step without tests of its own, like a linter: it can only fail. The command may be an
# exported function.
require() {
  local limit=$1 name=$2
  shift 2
  log "$name"
  timeout --kill-after=30s "$limit" bash -c '"$@"' -- "$@" </dev/null || { fail "$name (exit code $?)"; return 1; }
}

# check LIMIT NAME COMMAND...: one test.
check() {
  require "$@" && passed=$((passed + 1))
}

# tap LIMIT NAME COMMAND...: a command that ends in a run of tap.
tap() {
  local limit=$1 name=$2 report summary status
  shift 2
  report=$(mktemp)
  log "$name"
  TAP_REPORTER=tap timeout --kill-after=30s "$limit" "$@" </dev/null | tee "$report"
  status=${PIPESTATUS[0]}
  summary=$(grep -E '^# \{ total: [0-9]+' "$report" | tail -n 1)
  rm -f "$report"
  # tap's last words: # { total: 6, pass: 3, fail: 1, todo: 1, skip: 1 }
  count() { grep -oE "\b$1: [0-9]+" <<<"$summary" | grep -oE '[0-9]+' || echo 0; }
  passed=$((passed + $(count pass)))
  [[ $(count fail) -eq 0 ]] || fail "$name: tests failed" "$(count fail)"
  [[ $(count skip) -eq 0 ]] || fail "$name: tests were skipped" "$(count skip)"
  [[ $(count todo) -eq 0 ]] || fail "$name: tests are unfinished" "$(count todo)"
  if [[ $(count total) -eq 0 ]]; then
    fail "$name: no test ran (exit code $status)"
  elif [[ $status -ne 0 && $(count fail) -eq 0 ]]; then
    fail "$name: exit code $status"
  fi
}

# as_root COMMAND...
as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo --non-interactive "$@"; fi
}

apt_install() {
  as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes "$@"
}

export -f as_root apt_install

# What both scripts begin with: the dependencies exactly as locked (Node itself among them), lint, types, `npm test`, the
# admin pages in a real browser, and the storage in a real etcd.
standard_steps() {
  if ! command -v npm >/dev/null; then
    require 5m 'npm' apt_install npm || finish
  fi
  require 5m 'npm ci' npm ci || finish
  require 1m 'npm run lint' npm run lint
  require 2m 'npm run typecheck' npm run typecheck
  tap 14m 'npm test' npm test
  require 5m 'Chromium' apt_install chromium
  tap 3m 'npm run test:browser' npm run test:browser
  require 5m 'etcd' apt_install etcd-server
  tap 4m 'npm run test:etcd' npm run test:etcd
}

finish() {
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [[ $failed -eq 0 && $passed -gt 0 ]]
  exit
}
