#!/bin/sh
# Fuzzes the REST face with schemathesis: what it does not say in /openapi.json it must not do, and the other way round.
# Brings up a stack of its own in a temporary folder on free ports, with the `bench` profile of limits, and takes it down
# again. Exceptions are in tests/schemathesis.toml, each with its reason. Arguments go to `schemathesis run`; PETPRO names
# another binary than that of the last build.
set -eu

wanted='schemathesis==4.32.5'

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tools=$root/.petpro/tools/schemathesis
data=$(mktemp -d "${TMPDIR:-/tmp}/petpro-fuzz-XXXXXX")
platform=

say() {
    if [ -t 2 ]; then printf '\033[1m› %s\033[0m\n' "$*" >&2; else printf '› %s\n' "$*" >&2; fi
}

clean_up() {
    if [ -n "$platform" ]; then
        kill "$platform" 2>/dev/null || :
        wait "$platform" 2>/dev/null || :
    fi
    rm -rf "$data"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

installed=
if [ -r "$tools/petpro-tools" ]; then read -r installed <"$tools/petpro-tools" || :; fi
if [ "$installed" != "$wanted" ]; then
    say "installing $wanted"
    python3 -m venv --clear "$tools"
    # pip names the configured package index in its output; that belongs to the machine, not into a log.
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$wanted" 2>&1 | sed -e '/^Looking in /d' >&2
    "$tools/bin/schemathesis" --version >&2
    printf '%s\n' "$wanted" >"$tools/petpro-tools"
fi

edge=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
say "starting the platform at http://$edge"
PETPRO_EDGE__LISTEN=$edge PETPRO_EDGE__LIMITS_PROFILE=bench "${PETPRO:-$root/target/debug/petpro}" dev --data "$data" \
    >"$data/platform.log" 2>&1 &
platform=$!
tries=0
until python3 -c "import urllib.request; urllib.request.urlopen('http://$edge/health/ready', timeout=2)" 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 120 ] || ! kill -0 "$platform" 2>/dev/null; then
        cat "$data/platform.log" >&2
        echo 'the platform did not start' >&2
        exit 1
    fi
    sleep 0.5
done

outcome=0
"$tools/bin/schemathesis" --config-file "$root/tests/schemathesis.toml" run "http://$edge/openapi.json" "$@" || outcome=$?
if grep -E '"level":"ERROR"| ERROR ' "$data/platform.log" "$data"/*.log >"$data/errors" 2>/dev/null; then
    say 'the platform logged errors'
    head -20 "$data/errors" >&2
    outcome=1
fi
exit "$outcome"
