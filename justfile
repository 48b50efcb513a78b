# What can be done here. `./just` (the wrapper) gets `just` itself; `./just --list` shows this.

set positional-arguments := true

# List the recipes.
[private]
default:
    @just --list --unsorted

# Start the platform: own servers, demo data, every service; stays until Ctrl-C. Options go to `petpro dev`.
[no-exit-message]
up *options: ensure-servers
    #!/bin/sh
    set -eu
    cargo build --package petpro
    exec target/debug/petpro dev "$@"

# Stop the running platform of this checkout.
[no-exit-message]
down:
    @deploy/stop-dev.sh

# Stop the platform and remove its data, keys and logs; `--yes` answers the question beforehand.
[no-exit-message]
reset *answer:
    @deploy/reset-dev.sh "$@"

# Walk the story over HTTP against the running platform and print each step.
[no-exit-message]
demo *options:
    #!/bin/sh
    set -eu
    cargo build --quiet --package petpro
    exec target/debug/petpro demo "$@"

# The platform's own tool against this stack, for example `./just petpro call clinic.findAll`.
[no-exit-message]
petpro *arguments:
    @cargo build --quiet --package petpro
    @target/debug/petpro "$@"

# The NATS command line against this stack, for example `./just nats micro ls`.
[no-exit-message]
nats *arguments:
    @deploy/nats-cli.sh "$@"

# Format the code.
fmt:
    cargo fmt --all

# Format, lints, documentation, unused dependencies.
check: ensure-servers
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- --deny warnings
    RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --document-private-items
    @deploy/unused-dependencies.sh

# Everything CI runs: `check`, then all tests (layering and licences among them).
test *options: check
    cargo test --workspace "$@"

# Fuzz the REST face of a stack of its own with schemathesis; options go to `schemathesis run`.
[no-exit-message]
fuzz-api *options: ensure-servers
    #!/bin/sh
    set -eu
    cargo build --package petpro
    exec deploy/fuzz-api.sh "$@"

# Load and side-by-side measurements, in release mode; see docs/performance.md.
[no-exit-message]
bench *options: ensure-servers
    #!/bin/sh
    set -eu
    deploy/ensure-bench-tools.sh
    cargo build --release --package petpro --package bench
    exec target/release/bench "$@"

# Break a platform of its own under load, and look whether anything was lost; options go to `faults run`, see docs/faults.md.
[no-exit-message]
faults *options: ensure-servers
    #!/bin/sh
    set -eu
    cargo build --release --package faults
    exec target/release/faults run "$@"

# Press a platform of its own: too much to do, parts that are slow or gone, restarts; options go to `stress run`, see docs/resilience.md.
[no-exit-message]
stress *options: ensure-servers
    #!/bin/sh
    set -eu
    cargo build --release --package stress
    exec target/release/stress run "$@"

# Install what is missing to build and to run the servers, or say how.
[private]
ensure-servers:
    @deploy/ensure-servers.sh
