#!/bin/sh
# Stops the `petpro dev` of this checkout, whose process id is in .petpro/dev.pid, and waits until it is gone.
set -eu
cd "$(dirname "$0")/.."

# The number in the file may long belong to somebody else.
is_ours() {
    if [ -z "$1" ]; then return 1; fi
    # A small Linux may lack ps, and macOS has no /proc.
    if [ -d /proc/self ]; then
        tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q 'petpro dev'
    else
        ps -p "$1" -o args= 2>/dev/null | grep -q 'petpro dev'
    fi
}

process=$(cat .petpro/dev.pid 2>/dev/null || :)
if ! is_ours "$process"; then
    echo 'the platform of this checkout is not running'
    exit 0
fi
echo "stopping the platform (process $process)"
kill -s TERM "$process"
tenths=450
while is_ours "$process"; do
    if [ "$tenths" = 0 ]; then
        echo "process $process does not stop; kill -9 $process ends it and its servers" >&2
        exit 1
    fi
    tenths=$((tenths - 1))
    sleep 0.1
done
echo stopped
