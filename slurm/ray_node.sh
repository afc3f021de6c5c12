#!/usr/bin/env bash
# Ray on one node of a job, until it is told to end: srun starts it from train.sbatch, as `head` or `worker`.
set -uo pipefail

. "${SCIGEN_SITE:-slurm/site.env}"
scigen_prepare
role=${1:?head or worker}
index=0
[ "$role" = head ] || index=$((SLURM_PROCID + 1))
folder=$SCIGEN_RAY_TMP-$index # each node's own, where nodes share a machine
mkdir -p "$folder"
ports=(
    "--dashboard-agent-listen-port=$((SCIGEN_RAY_PORT + 2 + index))"
    --min-worker-port=0 --max-worker-port=0 # any free ones
)
case $role in
head)
    ports+=(--head "--port=$SCIGEN_RAY_PORT" "--ray-client-server-port=$((SCIGEN_RAY_PORT + 1))")
    ports+=(--include-dashboard=false)
    ;;
worker)
    ports+=("--address=$RAY_ADDRESS")
    head=${RAY_ADDRESS%:*} port=${RAY_ADDRESS##*:}
    until (: <"/dev/tcp/$head/$port") 2>/dev/null; do sleep 0.5; done # train.sbatch gives up on us after SCIGEN_RAY_S
    ;;
esac
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=0 # the training has ended by then; Ray would wait 30 s
unset RAY_ADDRESS # of the cluster; `ray start` is told by its arguments
"${SCIGEN_RUN[@]}" ray start "${ports[@]}" --block --disable-usage-stats --log-color=false \
    --node-ip-address="$(scigen_address)" --temp-dir="$folder" --num-cpus="$SLURM_CPUS_ON_NODE" --num-gpus="$SCIGEN_GPUS" &
ray=$!
trap 'kill -TERM $ray 2>/dev/null' TERM
while kill -0 "$ray" 2>/dev/null; do wait "$ray"; done
rm -rf "$folder"
