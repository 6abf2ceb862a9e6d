#!/usr/bin/env bash
# prepare.sh PART…: sees that what a suite cannot start by itself is there. On
# Debian, as root, it installs what is missing and says so. The parts:
#   node      Node.js and npm
#   race      a C compiler, for the race detector
#   postgres  PostgreSQL's programs
#   pgbouncer PgBouncer, a connection pooler
#   promtool  Prometheus's checker of rules
#   redis     Redis's server
#   java      a Java and Maven
#   venv      Python's venv
#   deploy    what stands in for a container engine, the proxy, what the docs call
#   release   zip, for Windows' archives
#   browser   Chromium and fonts for its screenshots
set -euo pipefail

missing=()
need() { # need PROGRAM PACKAGE…
	local program=$1
	shift
	command -v "$program" >/dev/null || missing+=("$@")
}
compiles() { echo '#include <stdlib.h>' | "${CC:-gcc}" -E -o /dev/null - 2>/dev/null; }

# What the tests' npm packages run on; no package can be installed over an older one.
least_node=18
refuse_old_node() { # refuse_old_node PART…
	local version
	[[ " $* " == *" node "* ]] || return 0
	version=$(node --version)
	version=${version#v}
	if [ "${version%%.*}" -lt "$least_node" ]; then
		echo "The tests need Node.js $least_node or newer; this machine's node is $version. Put a newer one first in PATH." >&2
		exit 1
	fi
}

for part in "$@"; do
	case $part in
	node)
		need node nodejs
		need npm npm ca-certificates
		;;
	race) compiles || missing+=(gcc libc6-dev) ;;
	postgres) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || need postgres postgresql ;;
	pgbouncer) [ -x /usr/sbin/pgbouncer ] || need pgbouncer pgbouncer ;;
	promtool) need promtool prometheus ;;
	redis) need redis-server redis-server ;;
	java) need mvn maven default-jdk-headless ;;
	venv) python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv) ;;
	deploy)
		need bwrap bubblewrap
		need nginx nginx
		need strace strace
		need systemd-analyze systemd
		need sqlite3 sqlite3
		need curl curl ca-certificates
		need jq jq
		need openssl openssl
		need shellcheck shellcheck
		need zip zip
		python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
		;;
	release) need zip zip ;;
	browser)
		need chromium chromium
		[ -d /usr/share/fonts/opentype/inter ] || missing+=(fonts-inter)
		[ -d /usr/share/fonts/truetype/dejavu ] || missing+=(fonts-dejavu-core)
		;;
	*) echo "prepare.sh knows no part $part" >&2 && exit 2 ;;
	esac
done
if command -v node >/dev/null; then refuse_old_node "$@"; fi
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
# Nor may any other package start what it brings.
if [ ! -e /usr/sbin/policy-rc.d ]; then
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
refuse_old_node "$@"
