#!/usr/bin/env bash
# prepare.sh PART…: sees that what a suite cannot start by itself is there. On
# Debian, as root, it installs what is missing and says so. The parts:
#   race      a C compiler, for the race detector
#   postgres  PostgreSQL's programs
#   browser   Chromium and fonts for its screenshots
set -euo pipefail

missing=()
need() { # need PROGRAM PACKAGE…
	local program=$1
	shift
	command -v "$program" >/dev/null || missing+=("$@")
}
for part in "$@"; do
	case $part in
	race) need "${CC:-gcc}" gcc libc6-dev ;;
	postgres) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || need postgres postgresql ;;
	browser)
		need chromium chromium
		[ -d /usr/share/fonts/opentype/inter ] || missing+=(fonts-inter)
		[ -d /usr/share/fonts/truetype/dejavu ] || missing+=(fonts-dejavu-core)
		;;
	*) echo "prepare.sh knows no part $part" >&2 && exit 2 ;;
	esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "This suite needs these packages of Debian, or your system's like: ${missing[*]}" >&2
	exit 1
fi
echo "Installing what the tests need: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
# The package must not start a cluster of its own; the tests start theirs.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
	echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
