#!/bin/bash
# examples/slurm/train.sbatch without Slurm: srun is mpirun here, scontrol notes what it is told. Warned by SIGUSR1 it saves and
# asks to be queued again; the next run goes on, and ends in the bits of a run that nobody disturbed.
. "$2/common.sh"
script=$source/../../examples/slurm/train.sbatch
"$make_pictures" data 20 || exit 2
mkdir fake
cat >fake/srun <<'END'
#!/bin/bash
[ "$1" = --kill-on-bad-exit=1 ] && shift
exec mpirun --oversubscribe -np "$RANKS" "$@"
END
printf '#!/bin/bash\necho "$*" >>requeued\n' >fake/scontrol
chmod +x fake/*
export PATH=$PWD/fake:$tools:$PATH SLURM_JOB_ID=7 DATA=data
echo "$net" >net.txt
options='--net @net.txt --epochs 200 --batch 8 --shards 8 --threads 1'
export OPTIONS=$options

MODEL=whole.ecgm RANKS=1 bash "$script" >out 2>err
code=$?
wants 0 '' 'a run that nobody disturbs'
check 'is not queued again' test ! -e requeued

MODEL=cut.ecgm RANKS=2 bash "$script" >out 2>err </dev/null &
pid=$!
there cut.ckpt
sleep 0.5
kill -s USR1 $pid
wait $pid
code=$?
wants 75 'interrupted' 'Slurm warns'
check 'it asks to be queued again' grep -qx 'requeue 7' requeued
MODEL=cut.ecgm RANKS=3 bash "$script" >out 2>err
code=$?
wants 0 '' 'the next run, with other ranks'
check 'ends in the same bits' cmp whole.ecgm cut.ecgm

OPTIONS="$options --net nonsense" MODEL=x.ecgm RANKS=2 bash "$script" >out 2>err
code=$?
check 'an error is one, and is not queued again' test "$code" -ne 0 -a "$code" -ne 75 -a "$(wc -l <requeued)" -eq 1
finish
