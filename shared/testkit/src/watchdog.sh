# Runs one server and never lets it outlive its owner, who holds the other end of standard input.
#   sh watchdog.sh <stop signal> <grace in seconds> <folder to remove, or nothing> <command…>
# Lines on standard input are signal names for the server; STOP also stops the children that it has, and whatever asks a
# stopped server to end lets it go on for that. The end of standard input, which is also what the death of the owner
# looks like, stops the server and removes the folder. Once the server has ended, the line `keep` lets the watchdog go
# without removing anything.
stop_signal=$1
grace_seconds=$2
throw_away=$3
shift 3

exec 3<&0
"$@" </dev/null >&2 3<&- &
server=$!

# Postgres has a child for every connection. Without /proc there are none to be found.
children() {
    for stat in /proc/[0-9]*/stat; do
        # A process may be gone again by now.
        read -r process _name _state parent _rest 2>/dev/null <"$stat" || continue
        if [ "$parent" = "$server" ]; then echo "$process"; fi
    done
}

# The server first: it must not start another child meanwhile.
freeze() {
    kill -s STOP "$server"
    frozen=$(children)
    for process in $frozen; do kill -s STOP "$process"; done
}

thaw_children() {
    for process in $frozen; do kill -s CONT "$process"; done
    frozen=
}

# The children first: this is cut short by the server's end, and a child that stays stopped would never notice that.
wake_with() {
    thaw_children
    kill -s "$1" "$server"
    kill -s CONT "$server"
}

# The owner may be gone by now: an unheard line must not keep the watchdog from its work, and neither must the SIGHUP that
# the system sends to a group with a stopped process whose owner goes.
trap '' PIPE HUP
exec 4>&1
echo "running $server" 2>/dev/null
(
    frozen=
    while read -r signal <&3; do
        case $signal in
        STOP)
            freeze
            echo "paused $server" >&4
            ;;
        CONT)
            wake_with CONT
            echo "running $server" >&4
            ;;
        TERM | INT | QUIT | KILL) wake_with "$signal" ;;
        *) kill -s "$signal" "$server" ;;
        esac
    done
    wake_with "$stop_signal"
    tenths=$((grace_seconds * 10))
    while [ "$tenths" -gt 0 ]; do
        sleep 0.1
        tenths=$((tenths - 1))
    done
    kill -s KILL "$server"
) >/dev/null 2>&1 &
commands=$!

wait "$server"
code=$?

# From here on the process id may belong to somebody else: nobody may signal it any more.
kill "$commands"
wait "$commands" 2>/dev/null
echo "exited $code" 2>/dev/null

while read -r word <&3; do
    if [ "$word" = keep ]; then exit 0; fi
done
if [ -n "$throw_away" ]; then
    # After a killed Postgres its other processes may still be writing for a moment.
    rm -rf "$throw_away" 2>/dev/null || { sleep 1 && rm -rf "$throw_away"; }
fi
