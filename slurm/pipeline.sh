#!/usr/bin/env bash
# curate -> generate -> evaluate -> train -> analyze as Slurm jobs, each after the one before has ended well.
#
#   slurm/pipeline.sh slurm/pipelines/nanobanana_filt.sh          submits and says where to look
#   slurm/pipeline.sh --wait slurm/pipelines/nanobanana_filt.sh   and waits; its status is the pipeline's
#
# A failing stage ends the pipeline: Slurm takes the later ones out of the queue, and a last job writes which stage it
# was and where its log lies, in report.txt of the pipeline's folder. Run it again to go on: stages skip what is done.
# A stage that the file leaves empty is left out.
set -euo pipefail

wait=0
[ "${1:-}" = --wait ] && wait=1 && shift
file=${1:?a file of slurm/pipelines}
[ -f slurm/prologue.sh ] || { echo "pipeline.sh: run it in the folder of the repository" >&2; exit 2; }
. "${SCIGEN_SITE:-slurm/site.env}"
SHARDS=8 CURATE=() GENERATE=() EVALUATE=() TRAIN=() TRAIN_SBATCH=() ANALYZE=()
. "$file"
name=$(basename "$file" .sh)
folder=${SCIGEN_PIPELINES:-outputs/pipelines}/$name-$(date +%Y%m%dT%H%M%S)-$$
mkdir -p "$folder/marks"
export SCIGEN_MARKS=$PWD/$folder/marks
case $folder in /*) SCIGEN_MARKS=$folder/marks ;; esac
ids=() number=0

submit() { # STAGE SBATCH-OPTIONS... -- SCRIPT ARGUMENTS...: after the stage before
    local stage options=() id
    number=$((number + 1))
    stage=$(printf '%02d-%s' "$number" "$1")
    shift
    while [ "$1" != -- ]; do options+=("$1") && shift; done
    shift
    ((${#ids[@]} == 0)) || options+=("--dependency=afterok:${ids[-1]}" --kill-on-invalid-dep=yes)
    local pattern=%j
    [[ " ${options[*]} " != *" --array="* ]] || pattern=%A.%a
    if ! id=$(SCIGEN_STAGE=$stage sbatch --parsable --job-name="$stage-$name" \
        --output="$folder/$stage-$pattern.log" "${options[@]}" "$@"); then
        echo "pipeline.sh: $stage could not be submitted; the stages before it are taken back" >&2
        ((${#ids[@]} == 0)) || scancel "${ids[@]}"
        exit 1
    fi
    id=${id%%;*}
    ids+=("$id")
    echo "$stage $id" >>"$folder/stages"
    printf '  %-20s job %s\n' "$stage" "$id"
}

echo "pipeline $name in $folder"
read -ra cpu <<<"$SCIGEN_CPU_SBATCH"
((${#CURATE[@]} == 0)) || submit curate "${cpu[@]}" -- slurm/array.sbatch curate "${CURATE[@]}"
for stage in generate evaluate; do
    declare -n arguments=${stage^^}
    ((${#arguments[@]})) || continue
    if ((SHARDS > 1)); then
        submit "$stage" "${cpu[@]}" "--array=0-$((SHARDS - 1))" -- slurm/array.sbatch "$stage" "${arguments[@]}"
    fi
    submit "$stage-merged" "${cpu[@]}" -- slurm/array.sbatch "$stage" "${arguments[@]}"
done
((${#TRAIN[@]} == 0)) || submit train "${TRAIN_SBATCH[@]}" -- slurm/train.sbatch "${TRAIN[@]}"
((${#ANALYZE[@]} == 0)) || submit analyze "${cpu[@]}" -- slurm/array.sbatch analyze "${ANALYZE[@]}"
((${#ids[@]})) || { echo "pipeline.sh: $file names no stage" >&2; exit 2; }

all=$(IFS=: && echo "${ids[*]}")
watch=("${cpu[@]}" --parsable --job-name="report-$name" --output="$folder/report.txt" "--dependency=afterany:$all")
if [ "$wait" = 0 ]; then
    sbatch "${watch[@]}" slurm/report.sh "$folder" >/dev/null
    echo "how it ended will be in $folder/report.txt"
    exit
fi
status=0
sbatch --wait "${watch[@]}" slurm/report.sh "$folder" >/dev/null || status=$?
cat "$folder/report.txt"
exit "$status"
