#!/usr/bin/env bash
# A private Slurm cluster on this machine, for tests: a real slurmctld and one slurmd a node, from Debian's packages.
#
#   slurm/local_cluster.sh up FOLDER      starts it and waits until its nodes are idle; then: . FOLDER/env.sh
#   slurm/local_cluster.sh down FOLDER    ends it; FOLDER keeps the logs
#
# NODES=2 CPUS=32 GPUS=1 (each node's; slots, not cores: nothing is confined) and PORT=first of NODES+1 free ports may
# be set before. It needs: apt-get install slurmctld slurmd slurm-client munge. It is no pattern for a real cluster: no
# accounting, no cgroups, one user.
set -euo pipefail

action=${1:?up or down} folder=${2:?a folder for its state}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
nodes=${NODES:-2} cpus=${CPUS:-32} gpus=${GPUS:-1}
user=$(id -un) host=$(hostname -s)

down() { # SIGTERM for all, and SIGKILL for who is there 10 s later
    local pids=() pidfile
    for pidfile in "$folder"/run/slurmd-*.pid "$folder/run/slurmctld.pid" "$folder/run/munged.pid"; do
        [ ! -s "$pidfile" ] || pids+=("$(cat "$pidfile")")
        rm -f "$pidfile"
    done
    ((${#pids[@]})) || return 0
    kill "${pids[@]}" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "${pids[@]}" 2>/dev/null || return 0 # bash: true while any of them is there
        sleep 0.1
    done
    kill -9 "${pids[@]}" 2>/dev/null || true
}

free_ports() { # COUNT: the first of so many free ones in a row
    python3 - "$1" <<'PYTHON'
import random, socket, sys

def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("", port))
        except OSError:
            return False
    return True

count = int(sys.argv[1])
first = next(p for p in iter(lambda: random.randrange(11000, 19000), None) if all(map(is_free, range(p, p + count))))
print(first)
PYTHON
}

write_config() {
    local port=$1
    # cred_expire: how long Slurm holds a requeued job back, 120 s by default
    cat >"$folder/etc/slurm.conf" <<CONF
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket,cred_expire=5
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=100000,requeue_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
PriorityType=priority/basic
AccountingStorageType=accounting_storage/none
JobRequeue=1
KillWait=10
MinJobAge=3600
OverTimeLimit=0
InactiveLimit=0
SlurmctldTimeout=60
SlurmdTimeout=120
NodeName=node[1-$nodes] NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1))-$((port + nodes)) CPUs=$cpus Gres=gpu:$gpus State=UNKNOWN
PartitionName=test Nodes=node[1-$nodes] Default=YES MaxTime=1-00:00:00 DefaultTime=01:00:00 State=UP
CONF
    echo "NodeName=node[1-$nodes] Name=gpu File=$folder/dev/gpu[0-$((gpus - 1))]" >"$folder/etc/gres.conf"
    echo "CgroupAutomount=no" >"$folder/etc/cgroup.conf"
    echo "export SLURM_CONF=$folder/etc/slurm.conf" >"$folder/env.sh"
}

up() {
    local program
    for program in slurmctld slurmd sbatch munged; do
        command -v "$program" >/dev/null || {
            echo "local_cluster.sh: no $program here. apt-get install slurmctld slurmd slurm-client munge" >&2
            exit 1
        }
    done
    down
    mkdir -p "$folder"/{etc,run,log,state,spool,munge,dev}
    chmod 755 "$folder" "$folder"/*
    local n
    for n in $(seq 0 $((gpus - 1))); do touch "$folder/dev/gpu$n"; done # Slurm wants a file for each GPU
    chmod 700 "$folder/munge"
    if [ ! -s "$folder/munge/key" ]; then
        head -c 1024 /dev/urandom >"$folder/munge/key"
        chmod 400 "$folder/munge/key"
    fi
    munged --force --key-file="$folder/munge/key" --socket="$folder/run/munge.socket" \
        --pid-file="$folder/run/munged.pid" --log-file="$folder/log/munged.log" --seed-file="$folder/munge/seed"
    write_config "${PORT:-$(free_ports $((nodes + 1)))}"
    export SLURM_CONF="$folder/etc/slurm.conf"
    slurmctld
    for n in $(seq "$nodes"); do
        mkdir -p "$folder/spool/node$n"
        slurmd -N "node$n"
    done
    for _ in $(seq 300); do
        if [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" = "$nodes" ]; then
            echo "Slurm with $nodes nodes is up: . $folder/env.sh"
            return
        fi
        sleep 0.2
    done
    echo "local_cluster.sh: the nodes are not idle after a minute; see $folder/log" >&2
    sinfo -N -l >&2 || true
    tail -n 20 "$folder"/log/*.log >&2
    down
    exit 1
}

case $action in
up | down) "$action" ;;
*)
    echo "local_cluster.sh: $action is neither up nor down" >&2
    exit 2
    ;;
esac
