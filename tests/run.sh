#!/usr/bin/env bash
# Every test, in two halves side by side: those in tests/e2e mostly wait for real processes, the others compute.
# With arguments: pytest with these, as it is.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
if [ $# -gt 0 ]; then
  exec $bin/pytest "$@"
fi

rm -f .coverage .coverage.*
waiting=$(mktemp)
trap 'rm -f "$waiting"' EXIT
$bin/coverage run --parallel-mode -m pytest tests/e2e >"$waiting" 2>&1 &
$bin/coverage run --parallel-mode -m pytest --ignore=tests/e2e
rest=$?
echo "tests/e2e, which ran beside these:"
wait %1
e2e=$?
cat "$waiting"
$bin/coverage combine --quiet
$bin/coverage report --skip-covered --include='probe/*,exporter/*'
exit $((rest || e2e))
