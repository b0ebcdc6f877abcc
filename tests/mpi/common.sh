# Sourced by mpi_*.sh TOOLS SOURCE WORK, after a look whether there is something to test. Processes of this machine only.
if [ ! -x "$1/ecg-train-mpi" ]; then
    echo "SKIP: ecg-train-mpi was not built: no MPI (Debian: libopenmpi-dev)"
    exit 77
fi
if ! command -v mpirun >/dev/null; then
    echo "SKIP: there is no mpirun (Debian: openmpi-bin)"
    exit 77
fi
. "$2/../cli/common.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # MPI's own
at_once=(mpirun --oversubscribe)
if ! "${at_once[@]}" -np 2 true >err 2>&1; then
    sed 's/^/    /' err | head -n 5
    echo "SKIP: mpirun starts no processes here"
    exit 77
fi

# ranks N ARGS...: ecg-train-mpi by N processes; stdout to out, stderr to err, the exit code to $code
ranks() {
    "${at_once[@]}" -np "$1" "$tools/ecg-train-mpi" "${@:2}" >out 2>err </dev/null
    code=$?
}
# begin N ARGS...: the same in the background; mpirun's process to $pid
begin() {
    "${at_once[@]}" -np "$1" "$tools/ecg-train-mpi" "${@:2}" >out 2>err </dev/null &
    pid=$!
}
# rank_pid N: the process of one rank of $pid, counted from 0 in the order of their start
rank_pid() {
    local all
    read -r -a all <"/proc/$pid/task/$pid/children" 2>/dev/null
    echo "${all[$1]:-}"
}
# await SECONDS: the end of $pid, whose exit code goes to $code; after so long it is killed
await() {
    local i
    for i in $(seq $(($1 * 10))); do
        kill -s 0 $pid 2>/dev/null || break
        sleep 0.1
    done
    kill -s KILL $pid 2>/dev/null
    wait $pid
    code=$?
}
# there FILE: waits until it is, or $pid has ended
there() {
    local i
    for i in $(seq 2400); do
        [ -e "$1" ] && return
        kill -s 0 $pid 2>/dev/null || return
        sleep 0.02
    done
}
same_history() { cmp <(cut -d, -f1-6,8 "$1") <(cut -d, -f1-6,8 "$2"); }
