#!/bin/sh
# test-packages.sh DIR: examines the deb and the rpm in DIR, installs the deb into a fresh Debian root, and runs the
# installed gateway there as an unprivileged user. Needs root, debootstrap, lintian and rpm.
set -eu
cd "$(dirname "$0")/.."
dist=$(cd "$1" && pwd)
deb=$(ls "$dist"/*.deb)
rpm=$(ls "$dist"/*.rpm)
fail() {
	echo "FAIL: $*"
	exit 1
}

echo "-- lintian"
# The tags that are left out: the changelog is made by the build, and no bug of Debian's is closed by a first upload.
lintian --fail-on error --suppress-tags initial-upload-closes-no-bugs,unknown-field "$deb" || fail "lintian has errors"

echo "-- rpm"
rpm -qp --scripts "$rpm" >/dev/null || fail "the rpm's scripts cannot be read"
rpm -qlp "$rpm" | grep -qx /usr/bin/forepost || fail "no binary in the rpm"
rpm -qlp "$rpm" | grep -qx /usr/lib/systemd/system/forepost.service || fail "no unit in the rpm"

echo "-- the unit"
if command -v systemd-analyze >/dev/null; then
	score=$(systemd-analyze security --offline=true packaging/files/forepost.service 2>/dev/null |
		sed -n 's/.*Overall exposure level.*: \([0-9.]*\) .*/\1/p')
	echo "exposure $score"
	awk -v s="$score" 'BEGIN { exit !(s != "" && s <= 2.0) }' || fail "exposure $score is over 2.0"
fi

echo "-- a fresh Debian"
root=$(mktemp -d)
finish() {
	umount "$root/proc" 2>/dev/null || true
	umount "$root/sys" 2>/dev/null || true
	rm -rf --one-file-system "$root"
}
trap finish EXIT INT TERM
chmod 0755 "$root"
# The machine's own source of Debian packages.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -1)
[ -n "$mirror" ] || fail "no source of Debian 12 packages is configured on this machine"
debootstrap --variant=minbase --include=adduser bookworm "$root" "$mirror" >"$root.log" 2>&1 || {
	tail -20 "$root.log"
	fail "debootstrap"
}
rm -f "$root.log"
cp "$deb" "$root/tmp/forepost.deb"
mount -t proc proc "$root/proc" 2>/dev/null || true # where it may be mounted
chroot "$root" dpkg -i /tmp/forepost.deb

echo "-- installed"
chroot "$root" id forepost
[ "$(stat -c %a "$root/etc/forepost")" = 750 ] || fail "/etc/forepost is open to all"
chroot "$root" /usr/bin/forepost --version
code=0
chroot "$root" /usr/bin/forepost serve || code=$?
[ $code = 78 ] || fail "serve without a configuration ends with $code, want 78"
for f in minimal mailboxes; do
	chroot "$root" /usr/bin/forepost check --config /usr/share/forepost/examples/$f.hcl || fail "example $f"
done
chroot --userspec=forepost:forepost "$root" env TMPDIR=/tmp HOME=/tmp /usr/bin/forepost demo --once || fail "the demo"

echo "-- purged, installed again"
mkdir -p "$root/var/lib/forepost" && touch "$root/var/lib/forepost/mail"
chroot "$root" dpkg --purge forepost
[ ! -e "$root/usr/bin/forepost" ] || fail "the binary is still there"
ls -d "$root"/var/lib/forepost.purged-*/mail >/dev/null || fail "purge threw mail away"
chroot "$root" dpkg -i /tmp/forepost.deb >/dev/null
echo "packages are well"
