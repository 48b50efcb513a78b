#!/bin/sh
# Runs cargo-machete over the workspace; gets it into .petpro/tools when the right version is not there.
set -eu
cd "$(dirname "$0")/.."

version=0.9.2

is_right() {
    [ "$("$1" --version 2>/dev/null)" = "$version" ]
}

if is_right cargo-machete; then
    exec cargo-machete
fi
if ! is_right .petpro/tools/bin/cargo-machete; then
    echo "› installing cargo-machete $version into .petpro/tools (a minute, once)" >&2
    # Its work is reading files: an optimised build would take longer than all of its runs.
    cargo install cargo-machete --version "$version" --locked --debug --root .petpro/tools
fi
exec .petpro/tools/bin/cargo-machete
