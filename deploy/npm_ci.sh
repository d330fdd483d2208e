#!/bin/sh
# Installs the npm packages of a package-lock.json, with their integrity hashes, into a build
# directory; does nothing when they are there. CMake calls it (deploy/cmake/Npm.cmake).
#
#   deploy/npm_ci.sh gateway/openapi build/npm/docs
set -eu
source=$1
target=$2
stamp=$target/installed.json

if [ -e "$stamp" ] && cmp -s "$source/package-lock.json" "$stamp"; then
  touch "$stamp"
  exit 0
fi
say() {
  echo "npm_ci: $1" >&2
  echo "npm_ci: $source/package-lock.json names the packages; nothing else is downloaded." >&2
  exit 1
}
command -v npm >/dev/null 2>&1 || say 'there is no npm: run deploy/install-deps.sh'
mkdir -p "$target"
rm -f "$stamp"
cp "$source/package.json" "$source/package-lock.json" "$target/"
cd "$target"
try=1
until npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1; do
  if [ "$try" -ge 3 ]; then
    tail -20 npm.log >&2
    say "npm ci failed in $target. Is its registry ($(npm config get registry 2>/dev/null)) reachable? \
A mirror: npm config set registry ADDRESS. Without any: copy $target from a machine that has it."
  fi
  try=$((try + 1))
  sleep 3
done
cp package-lock.json installed.json
