#!/usr/bin/env bash
# The last job of slurm/pipeline.sh: what became of each stage, by the marks that the jobs left. Status 1 after a failure.
set -uo pipefail

folder=${1:?the folder of a pipeline}
failed="" state="" detail=""

look() { # STAGE JOB: sets state, and detail
    local marks=("$folder/marks/$1" "$folder/marks/$1".[0-9]*) file word rest all=0 ok=0 tasks
    state="not run" detail=""
    for file in "${marks[@]}"; do
        [ -f "$file" ] || continue
        all=$((all + 1))
        read -r word rest <"$file"
        case $word in
        ok) ok=$((ok + 1)) ;;
        failed) [ "$state" = failed ] || { state=failed; detail="with status ${rest%% *}; log: ${rest#* }"; } ;;
        *) [ "$state" = failed ] || { state=killed; detail="$(word_of_slurm "$2"); log: $rest"; } ;;
        esac
    done
    ((all == 0)) && return
    [[ $state != "not run" ]] || state=ok
    tasks=$(find "$folder/marks" -name "$1.[0-9]*" | wc -l)
    ((tasks == 0)) || detail="$ok of $all tasks ok${detail:+, one $state $detail}"
}

word_of_slurm() { # JOB: why it ended without a word of its own, while Slurm remembers
    local found
    found=$(scontrol show job "$1" 2>/dev/null | grep -o 'JobState=[A-Z_]*\|Reason=[^ ]*' | tr '\n' ' ')
    echo "ended by Slurm ${found:+(${found% })}"
}

while read -r stage job; do
    look "$stage" "$job"
    printf '%-22s %-8s %s\n' "$stage" "$state" "$detail"
    if [ -z "$failed" ] && [ "$state" != ok ]; then failed="$stage $detail"; fi
done <"$folder/stages"
if [ -n "$failed" ]; then
    echo
    echo "The pipeline stopped at stage $failed"
    echo "Mend the cause and run the pipeline again: the stages skip what is done."
    exit 1
fi
echo
echo "All stages ended well."
