#!/bin/sh
# Builds the addon for Linux inside a container (release.yml): LIBC is glibc (manylinux) or musl (Alpine). Brings Node.js and
# Rust where the image has none, then runs `npm run prebuild` and compiles the TypeScript.
set -eu
if [ "$LIBC" = musl ]; then
  apk add --no-cache curl gcc musl-dev git
elif ! command -v node >/dev/null; then
  case "$(uname -m)" in aarch64) arch=arm64 ;; *) arch=x64 ;; esac
  version=$(curl -fsSL https://nodejs.org/dist/latest-v20.x/SHASUMS256.txt | sed -n "s/.*\(node-v20[0-9.]*-linux-$arch\).tar.gz/\1/p")
  curl -fsSL "https://nodejs.org/dist/latest-v20.x/$version.tar.gz" | tar xz -C /opt
  PATH="/opt/$version/bin:$PATH"
fi
curl -fsSL https://sh.rustup.rs | sh -s -- -y --profile minimal
PATH="$HOME/.cargo/bin:$PATH"
npm run prebuild
npm run build:ts
