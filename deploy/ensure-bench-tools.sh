#!/bin/sh
# Makes sure that the load generators are installed: wrk for HTTP. (pgbench comes with Postgres.)
# Installs a package only as root where there is apt; otherwise says what to do.
set -eu

command -v wrk >/dev/null && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    printf '› installing wrk\n' >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    # Without a pseudo-terminal: whole lines instead of a progress bar, in a log as well.
    apt-get install -qq --no-install-recommends -o Dpkg::Use-Pty=0 wrk >&2
    command -v wrk >/dev/null && exit 0
fi

{
    echo
    echo 'Missing: wrk, which makes the HTTP load.'
    echo '  Debian, Ubuntu:  sudo apt-get install wrk'
    echo '  macOS:           brew install wrk'
} >&2
exit 1
