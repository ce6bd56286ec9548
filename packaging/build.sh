#!/bin/sh
# build.sh [DIR]: builds the binary, the deb and the rpm into DIR (default: dist).
# The same source gives the same octets: SOURCE_DATE_EPOCH defaults to the time of the last commit.
set -eu
cd "$(dirname "$0")/.."
dist=${1:-dist}
mkdir -p "$dist"
dist=$(cd "$dist" && pwd)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
FOREPOST_VERSION=${FOREPOST_VERSION:-0.1.0}
FOREPOST_ARCH=${FOREPOST_ARCH:-$(go env GOARCH)}
FOREPOST_DIST=$dist
export SOURCE_DATE_EPOCH FOREPOST_VERSION FOREPOST_ARCH FOREPOST_DIST

CGO_ENABLED=0 GOARCH=$FOREPOST_ARCH go build -trimpath -buildvcs=false -buildmode=pie \
	-ldflags "-s -w -X main.version=$FOREPOST_VERSION" -o "$dist/forepost" ./cmd/forepost
for page in forepost.8 forepost.hcl.5 forepost-policy.7 forepost-functions.7; do
	gzip -9nc "packaging/files/$page" >"$dist/$page.gz"
done
{
	echo "forepost ($FOREPOST_VERSION-1) stable; urgency=medium"
	echo
	echo "  * See the release notes."
	echo
	echo " -- The Forepost developers <developers@forepost.example>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$dist/changelog.Debian.gz"
for kind in deb rpm; do
	go tool -modfile=packaging/tools/go.mod nfpm package --config packaging/nfpm.yaml --packager "$kind" --target "$dist/"
done
