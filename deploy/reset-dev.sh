#!/bin/sh
# Removes everything that `petpro dev` keeps for this checkout: databases, streams, keys, logs. Tools stay.
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" != --yes ]; then
    if [ ! -t 0 ]; then
        echo 'this removes all local data; run ./just reset --yes' >&2
        exit 1
    fi
    printf 'Remove all local data, keys and logs of this checkout? [y/N] '
    read -r answer
    case $answer in
    y | Y | yes) ;;
    *) exit 1 ;;
    esac
fi
deploy/stop-dev.sh

# Postgres may live outside of a checkout that its account cannot enter; a note tells where.
for note in .petpro/*/moved-to .petpro/*/*/moved-to; do
    [ -r "$note" ] || continue
    folder=$(cat "$note")
    case $folder in
    /var/lib/petpro/?*) rm -rf "$folder" ;;
    esac
done
for entry in .petpro/* .petpro/.[!.]*; do
    case $entry in
    .petpro/tools) ;;
    *) rm -rf "$entry" ;;
    esac
done
echo 'removed the data of the local platform'
