#!/bin/sh
# check.sh: everything that must hold before a change lands. It installs what the tests need (Debian, as root), then runs,
# in this order: format, vet, staticcheck; all tests, none skipped; the racy rooms again with the race detector; each fuzz
# target for a moment; the demo; the packages, built, examined, installed into a fresh Debian and run there.
# The suites of others are tested too where FOREPOST_SUITES names their folder.
set -eu
cd "$(dirname "$0")/.."
say() { printf '\n== %s  (%s)\n' "$1" "$(date +%T)"; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

say "what the tests need"
need="python3-flufl.bounce redis-server swaks sslscan libnet-ssleay-perl libnet-dns-perl libsasl2-modules curl python3 isync fetchmail mutt mpop bsd-mailx offlineimap3 imapfilter bsdutils rpm lintian debootstrap procps python3-dkim python3-nacl libmail-dkim-perl gsasl slapd ldap-utils opendkim-tools iproute2"
missing=
for p in $need; do
	dpkg-query -W -f='${Status}\n' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
	echo "installing$missing"
	apt-get update -qq
	# Nothing that is installed here starts by itself: the tests start what they need, on free ports.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
		trap 'rm -rf "$tmp" $policy' EXIT
	fi
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >"$tmp/apt.log" 2>&1 || {
		cat "$tmp/apt.log"
		exit 1
	}
fi
go version

say "format, vet, staticcheck"
bad=$(gofmt -l cmd relay filters pop3pickup imapstore policies packaging)
[ -z "$bad" ] || {
	echo "not formatted: $bad"
	exit 1
}
go vet ./...
go build -o "$tmp/staticcheck" -modfile=packaging/tools/go.mod honnef.co/go/tools/cmd/staticcheck
"$tmp/staticcheck" ./...
go mod tidy -diff

say "tests"
go build -o "$tmp/testsum" ./packaging/testsum
go test -count=1 -json ./... >"$tmp/tests.json" || true
"$tmp/testsum" <"$tmp/tests.json"

say "tests with the race detector"
go test -count=1 -race -short -json ./relay/... ./imapstore/... ./pop3pickup/... ./cmd/internal/... >"$tmp/race.json" || true
"$tmp/testsum" <"$tmp/race.json"

say "fuzzing, a moment each"
grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
	for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //'); do
		echo "$dir $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-3s}" "$dir" >"$tmp/fuzz.log" 2>&1 && continue
		# go test sometimes takes the end of the time itself for a failure. A find is always written down.
		if grep -q 'context deadline exceeded' "$tmp/fuzz.log" && ! grep -q 'Failing input written' "$tmp/fuzz.log"; then
			continue
		fi
		cat "$tmp/fuzz.log"
		exit 1
	done
done

say "the demo"
go run ./cmd/forepost demo --once

say "packages"
sh packaging/build.sh "$tmp/dist"
sh packaging/test-packages.sh "$tmp/dist"

say "all is well"
"$tmp/testsum" <"$tmp/tests.json" | tail -1
