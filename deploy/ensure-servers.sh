#!/bin/sh
# Makes sure that the programs which the build and the local stack need are installed: a C compiler, Postgres 15 or
# newer, Redis 7 or newer. Installs packages only as root where there is apt; otherwise says what to do.
# The packages' own services are neither started nor enabled: the stack runs the binaries with its own ports and data.
# A server that is given by URL (PETPRO_POSTGRES__URL, PETPRO_REDIS__URL) is not looked for.
set -eu

oldest_postgres=15
oldest_redis=7

say() {
    if [ -t 2 ]; then printf '\033[1m› %s\033[0m\n' "$*" >&2; else printf '› %s\n' "$*" >&2; fi
}

# Prints the newest major version of Postgres on this machine, or 0.
postgres_version() {
    newest=0
    for binary in "$(command -v postgres || :)" /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres \
        /opt/homebrew/opt/postgresql@*/bin/postgres /usr/local/opt/postgresql@*/bin/postgres; do
        [ -x "$binary" ] || continue
        major=$("$binary" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9]*\).*/\1/p')
        [ "${major:-0}" -le "$newest" ] || newest=$major
    done
    echo "$newest"
}

# Prints the major version of the redis-server on PATH, or 0.
redis_version() {
    major=$(redis-server --version 2>/dev/null | sed -n 's/.* v=\([0-9]*\).*/\1/p')
    echo "${major:-0}"
}

missing() {
    command -v cc >/dev/null || echo compiler
    [ -n "${PETPRO_POSTGRES__URL:-}" ] || [ "$(postgres_version)" -ge "$oldest_postgres" ] || echo postgres
    [ -n "${PETPRO_REDIS__URL:-}" ] || [ "$(redis_version)" -ge "$oldest_redis" ] || echo redis
}

apt_package() {
    case $1 in
    compiler) echo gcc libc6-dev ;;
    postgres) echo postgresql ;;
    redis) echo redis-server ;;
    esac
}

explain() {
    {
        echo
        echo "Missing: $(echo "$1" | tr '\n' ' ')(Postgres $oldest_postgres or newer, Redis $oldest_redis or newer)."
        echo "  Debian, Ubuntu:  sudo apt-get install$(for name in $1; do printf ' %s' "$(apt_package "$name")"; done)"
        echo "  macOS:           xcode-select --install; brew install postgresql@17 redis"
        echo "  Docker:          run the servers there and give their addresses, for example"
        echo "                     docker run -d -p 127.0.0.1:55432:5432 -e POSTGRES_PASSWORD=petpro postgres:17 -c max_connections=400"
        echo "                     docker run -d -p 127.0.0.1:56379:6379 redis:7-alpine"
        echo "                     export PETPRO_POSTGRES__URL=postgres://127.0.0.1:55432/postgres"
        echo "                     export PETPRO_MIGRATE__ADMIN_URL=postgres://postgres:petpro@127.0.0.1:55432/postgres"
        echo "                     export PETPRO_REDIS__URL=redis://127.0.0.1:56379"
        echo "                   (a NATS of your own: PETPRO_NATS__URL; otherwise the one in .venv is used)"
    } >&2
    exit 1
}

# Undoes what keeps the packages from starting services, however the script ends.
no_services=
no_cluster=
clean_up() {
    [ -z "$no_services" ] || rm -f "$no_services"
    [ -z "$no_cluster" ] || rm -f "$no_cluster"
}

apt_get_install() {
    # Without a pseudo-terminal: whole lines instead of a progress bar, in a log as well.
    apt-get install -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >&2
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    trap clean_up EXIT
    trap 'exit 130' INT TERM

    say 'updating the package lists'
    apt-get update -qq >&2

    if [ ! -e /usr/sbin/policy-rc.d ]; then
        no_services=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$no_services"
        chmod 755 "$no_services"
    fi
    had_redis=$(command -v redis-server || :)

    for name in $1; do
        if [ "$name" = postgres ]; then
            # First the common files, so that the server package finds the wish for no cluster on port 5432.
            say 'installing postgresql-common'
            apt_get_install postgresql-common
            if grep -q "^include_dir '/etc/postgresql-common/createcluster.d'" /etc/postgresql-common/createcluster.conf; then
                mkdir -p /etc/postgresql-common/createcluster.d
                no_cluster=/etc/postgresql-common/createcluster.d/no-main-cluster.conf
                echo 'create_main_cluster = false' >"$no_cluster"
            else
                sed -i 's/^#\{0,1\}create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
            fi
        fi
        say "installing $(apt_package "$name")"
        # More than one package name is split on purpose.
        # shellcheck disable=SC2046
        apt_get_install $(apt_package "$name")
    done

    # Otherwise the package's Redis would take port 6379 after the next start of the machine.
    if [ -z "$had_redis" ] && [ -d /run/systemd/system ]; then systemctl disable --quiet redis-server || :; fi
}

needed=$(missing)
[ -n "$needed" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt_install "$needed"
    needed=$(missing)
fi
[ -z "$needed" ] || explain "$needed"
