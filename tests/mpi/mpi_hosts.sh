#!/bin/bash
# ecg-train-mpi on three hosts: network namespaces with addresses and host names of their own, on a bridge. The same model
# as on one; and one host that is cut off in the middle of training. Needs root, ip, unshare and a kernel that has them.
command -v ip >/dev/null && command -v unshare >/dev/null || { echo "SKIP: hosts: no ip (Debian: iproute2) or no unshare"; exit 77; }
. "$2/common.sh"
me=ecg$$
agent=$PWD/agent.sh

# ---- the hosts: $me-0, $me-1, $me-2 on the bridge of $me-s ----
gone() { # ends what runs in them, and takes them away
    local i p
    for i in 0 1 2 s; do
        for p in $(ip netns pids "$me-$i" 2>/dev/null); do kill -s KILL "$p" 2>/dev/null; done
        ip netns del "$me-$i" 2>/dev/null
    done
}
trap gone EXIT
hosts() {
    ip netns add "$me-s" && ip -n "$me-s" link add br0 type bridge && ip -n "$me-s" link set br0 up || return
    local i
    for i in 0 1 2; do
        ip netns add "$me-$i" &&
            ip -n "$me-$i" link add eth0 type veth peer name "port$i" netns "$me-s" &&
            ip -n "$me-$i" addr add "10.99.77.$((i + 1))/24" dev eth0 &&
            ip -n "$me-$i" link set lo up && ip -n "$me-$i" link set eth0 up &&
            ip -n "$me-s" link set "port$i" master br0 && ip -n "$me-s" link set "port$i" up || return
    done
    ip netns exec "$me-0" unshare --uts true
}
if ! hosts >err 2>&1; then
    sed 's/^/    /' err | head -n 3
    echo "SKIP: hosts: network namespaces cannot be made here (not root, or a container without the right to)"
    exit 77
fi
# Instead of ssh: agent.sh ADDRESS COMMAND...
cat >"$agent" <<END
#!/bin/sh
host=\$((\${1##*.} - 1))
shift
exec ip netns exec $me-\$host unshare --uts sh -c "hostname host\$host; \$*"
END
chmod +x "$agent"
# Open MPI's launcher asks a silent host after oob_tcp_keepalive_time seconds whether it is there; 300 unless it is told.
# It must have found out before the ranks give up: once it has sent that host the order to end, it waits for TCP.
on_hosts() { # N ARGS...: mpirun on the first host, ranks on all
    ip netns exec "$me-0" unshare --uts sh -c 'hostname host0; exec "$@"' sh timeout -s KILL 120 mpirun --oversubscribe \
        --host 10.99.77.1:4,10.99.77.2:4,10.99.77.3:4 --map-by node -np "$1" \
        --mca plm_rsh_agent "$agent" --mca btl tcp,self --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 \
        --mca oob_tcp_keepalive_time 4 --mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 4 \
        "$tools/ecg-train-mpi" "${@:2}"
}
ran() {
    on_hosts "$@" >out 2>err </dev/null
    code=$?
}

"$make_pictures" data 20 || exit 2
train=(data --net 'input 24x24x1; conv2d 8 3x3; batchnorm relu; maxpool 2x2; flatten; dense 8; dense 3; softmax'
    --augment ecg --batch 8 --threads 1)
ran 3 --version
if [ "$code" -ne 0 ]; then
    sed 's/^/    /' err | head -n 5
    echo "SKIP: hosts: mpirun starts no processes in network namespaces here"
    exit 77
fi

# ---- all is well ----
run ecg-train "${train[@]}" --epochs 3 -q -o one.ecgm
ran 3 "${train[@]}" --epochs 3 -o three.ecgm
wants 0 'host2' 'three hosts'
check 'the same model as of one process' cmp one.ecgm three.ecgm

# ---- one host is cut off ----
on_hosts 3 "${train[@]}" --epochs 100000 --patience 20 --checkpoint cut.ckpt --checkpoint-every 3 -o cut.ecgm \
    >out 2>err </dev/null &
pid=$!
there cut.ckpt
sleep 1
ip -n "$me-s" link set port2 down
start=$SECONDS
wait $pid
code=$?
took=$((SECONDS - start))
echo "cut off: ended after $took s with code $code"
check 'a lost host ends the job with an error' test $code -ne 0 -a $code -ne 137
check 'within a minute' test $took -le 60
check 'and says so' grep -qE '^ecg-train-mpi: rank [0-9]+: waited|ORTE has lost communication with a remote daemon' err
grep -E '^ecg-train-mpi:|lost communication' err | head -n 5
check 'the checkpoint is whole' "$tools/ecg-predict" -m cut.ckpt 'data/Class A/00.png' >/dev/null
finish
