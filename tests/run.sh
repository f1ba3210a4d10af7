#!/usr/bin/env bash
# Every test, in three parts side by side: those in tests/e2e mostly wait for real processes, the others compute.
# With arguments: pytest with these, as it is.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
if [ $# -gt 0 ]; then
  exec $bin/pytest "$@"
fi

rm -f .coverage .coverage.*
told=$(mktemp -d)
trap 'rm -rf "$told"' EXIT
part() { $bin/coverage run --parallel-mode -m pytest "$@"; }
part tests/e2e >"$told/e2e" 2>&1 &
e2e=$!
part tests --ignore=tests/e2e --ignore=tests/probe >"$told/exporter" 2>&1 &
exporter=$!
part tests/probe
failed=$?
wait $exporter || failed=1
cat "$told/exporter"
wait $e2e || failed=1
cat "$told/e2e"
$bin/coverage combine --quiet
$bin/coverage report --skip-covered --include='probe/*,exporter/*'
exit $failed
