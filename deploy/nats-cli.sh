#!/bin/sh
# Runs the `nats` command line as the operator of this checkout's stack. `petpro dev` writes .petpro/nats.env.
set -eu
here=$(pwd)
cd "$(dirname "$0")/.."

find_nats() {
    command -v nats && return
    for folder in "$PWD/.petpro/bin" "${GOBIN:-}" "$(go env GOPATH 2>/dev/null)/bin" "$HOME/go/bin"; do
        if [ -x "$folder/nats" ]; then
            echo "$folder/nats"
            return
        fi
    done
    return 1
}

nats=$(find_nats) || {
    echo 'The nats command line is not installed. With Go: go install github.com/nats-io/natscli/nats@latest' >&2
    echo 'macOS: brew install nats-io/nats-tools/nats' >&2
    exit 1
}
if [ ! -r .petpro/nats.env ]; then
    echo 'There is no stack to talk to: start it with ./just up' >&2
    exit 1
fi
# Lines NATS_URL=…, NATS_NKEY=…, NATS_CERT=…, NATS_KEY=…, NATS_CA=…, INBOX_PREFIX=…
while IFS='=' read -r name value; do
    case $name in
    NATS_URL | NATS_NKEY | NATS_CREDS | NATS_CERT | NATS_KEY | NATS_CA) export "$name=$value" ;;
    INBOX_PREFIX) inbox_prefix=$value ;;
    esac
done <.petpro/nats.env
cd "$here"
exec "$nats" --tlsfirst --inbox-prefix "${inbox_prefix:-_INBOX}" "$@"
