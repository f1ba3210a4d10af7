#!/usr/bin/env bash
# Installs the servers that the tests talk to and that nobody here wrote. Quiet and quick when all of them are there.
# Debian's packages when root, LiteLLM's proxy in an environment of its own, aimock and Grafana's dashboard types from
# npm: all under .cache/ otherwise.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache
python=$here/../../.venv/bin/python
[ -x "$python" ] || python=python3

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need prometheus prometheus
need promtool prometheus
need prometheus-alertmanager prometheus-alertmanager
need amtool prometheus-alertmanager
need prometheus-blackbox-exporter prometheus-blackbox-exporter
need curl curl
need shellcheck shellcheck
need openssl openssl
need pgrep procps
need faketime faketime
need chromium chromium
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "the tests need these Debian packages, and only root can install them: ${missing[*]}" >&2
    exit 1
  fi
  echo "installing with apt: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  install=(apt-get install -y -qq --no-install-recommends "${missing[@]}")
  # The package lists may be there and fresh; only when they are not is an update worth its time.
  "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; }
fi
if ! command -v npm >/dev/null 2>&1; then
  echo "the tests need npm (with Node.js 20 or newer)" >&2
  exit 1
fi

# A folder is done when it carries the digest of the lock that it was made from.
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
made_from() { [ "$(cat "$1/.made-from" 2>/dev/null)" = "$2" ]; }

litellm=$(digest "$here/litellm.lock")
if ! made_from "$cache/litellm" "$litellm"; then
  echo "installing LiteLLM's proxy in .cache/litellm (about a minute)"
  "$python" -m venv --clear "$cache/litellm"
  # The lock is whole: without --no-deps a new release of what `pydantic[email]` means would stop the installation.
  "$cache/litellm/bin/pip" install -qq --disable-pip-version-check --no-input --require-hashes --no-deps -r "$here/litellm.lock"
  "$cache/litellm/bin/pip" check --disable-pip-version-check
  echo "$litellm" >"$cache/litellm/.made-from"
fi

# aimock, and Grafana's types of a dashboard with their compiler.
for name in aimock grafana; do
  locked=$(digest "$here/$name/package.json" "$here/$name/package-lock.json")
  made_from "$cache/$name" "$locked" && continue
  echo "installing .cache/$name"
  mkdir -p "$cache/$name"
  cp "$here/$name/package.json" "$here/$name/package-lock.json" "$cache/$name/"
  (cd "$cache/$name" && npm ci --silent --no-audit --no-fund --ignore-scripts)
  echo "$locked" >"$cache/$name/.made-from"
done
