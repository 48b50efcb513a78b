# Runs one server and never lets it outlive its owner, who holds the other end of standard input.
#   sh watchdog.sh <stop signal> <grace in seconds> <folder to remove, or nothing> <command…>
# Lines on standard input are signal names for the server. The end of standard input, which is also what the death of
# the owner looks like, stops the server and removes the folder. Once the server has ended, the line `keep` lets the
# watchdog go without removing anything.
stop_signal=$1
grace_seconds=$2
throw_away=$3
shift 3

exec 3<&0
"$@" </dev/null >&2 3<&- &
server=$!

(
    while read -r signal <&3; do kill -s "$signal" "$server"; done
    kill -s "$stop_signal" "$server"
    tenths=$((grace_seconds * 10))
    while [ "$tenths" -gt 0 ]; do
        sleep 0.1
        tenths=$((tenths - 1))
    done
    kill -s KILL "$server"
) >/dev/null 2>&1 &
commands=$!

# The owner may be gone by now; an unheard line must not keep the watchdog from its work.
trap '' PIPE
echo "running $server" 2>/dev/null
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
