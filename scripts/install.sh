#!/usr/bin/env bash
# Installs what the tests need beside Go: a C compiler for the race detector, curl
# for the lines of the documents, a browser with Chinese glyphs for the page, node
# for the web client's own tests, what makes a disk that loses its power, and strace
# for one whose syncs fail, nginx and Caddy to stand in front of a server, PgBouncer, and PostgreSQL,
# of which the tests start servers of their own: the system's own is not started. It can do
# so on Debian and Ubuntu as root; elsewhere the tests say what they lack. With the name of a
# package it installs that alone.
set -euo pipefail
only=${1:-}

# The browser without windows draws the pages for a third of the CPU time. Where the system has no
# such package, or cannot fetch it, the tests take the whole browser.
shell=chromium-headless-shell

missing=()
need() { # command, packages …
	[[ -z $only || $only == "$2" ]] || return 0
	command -v "$1" >/dev/null || missing+=("${@:2}")
}
need gcc gcc libc6-dev
need curl curl
need "$shell" "$shell" fonts-noto-cjk fonts-noto-color-emoji
need node nodejs
need mount mount
need mkfs.ext4 e2fsprogs
need strace strace
need nginx nginx-light
need caddy caddy
need pgbouncer pgbouncer
postgres=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' || command -v initdb || true)
[[ $postgres || (-n $only && $only != postgresql) ]] || missing+=(postgresql) # the newest that the system has; 15 on Debian 12

((${#missing[@]})) || exit 0
if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
	echo "missing, and only root with apt can install: ${missing[*]}"
	exit 0
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
packages() {
	"${apt[@]}" update || return
	apt-cache show "$shell" >/dev/null 2>&1 || missing=("${missing[@]/#$shell/chromium}")
	if [[ " ${missing[*]} " == *" postgresql "* ]]; then
		mkdir -p /etc/postgresql-common
		[[ -e /etc/postgresql-common/createcluster.conf ]] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
	fi
	"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
}
if ! packages; then
	[[ ${missing[*]} =~ ^($shell|chromium)\ fonts && ${#missing[@]} == 3 ]] && command -v chromium
fi
