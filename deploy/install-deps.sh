#!/bin/sh
# Installs the Debian 12 packages that building, running and testing need. Never asks anything;
# answers within a fraction of a second when nothing is missing. Runs as root without sudo, or
# with sudo otherwise.
#
#   deploy/install-deps.sh            install what is missing
#   deploy/install-deps.sh --list     print the packages, one a line
set -eu

packages='
  clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev mold ccache cmake ninja-build make pkg-config git
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev
  golang-github-gogo-googleapis-dev
  prometheus-cpp-dev libspdlog-dev libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libkainjow-mustache-dev libboost-dev
  libsqlite3-dev libcurl4-openssl-dev libssl-dev zlib1g-dev
  libcjose-dev libjansson-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  chromium chromium-driver curl jq python3 ca-certificates
'

# What may have come from elsewhere already: the program, and Debian's packages for it.
others='npm:nodejs,npm go:golang-go'
for other in $others; do
  if [ "${1:-}" = "--list" ] || ! command -v "${other%%:*}" >/dev/null 2>&1; then
    packages="$packages $(echo "${other#*:}" | tr , ' ')"
  fi
done

if [ "${1:-}" = "--list" ]; then
  for package in $packages; do echo "$package"; done
  exit 0
fi

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "install-deps: this is not Debian (no dpkg-query). Install by hand:" $packages >&2
  exit 1
fi

# shellcheck disable=SC2086  # the list is meant to be split into words
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2>/dev/null || true)
missing=''
for package in $packages; do
  case "
$installed
" in
    *"
installed $package
"*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -z "$missing" ] && exit 0

as_root=''
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "install-deps: missing:$missing" >&2
    echo "install-deps: run as root: apt-get install -y --no-install-recommends$missing" >&2
    exit 1
  fi
  as_root='sudo'
fi

echo "install-deps: installing$missing" >&2
# Another apt may be running on a fresh machine: wait for its lock instead of failing.
options='-y -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3'
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get $options update >&2
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get $options install --no-install-recommends \
  $missing >&2
