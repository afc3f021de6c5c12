# Sourced by every job, in the folder it was submitted from: the site's settings, and what jobs have in common.

. "${SCIGEN_SITE:-slurm/site.env}"
scigen_prepare

AGAIN=75 # sysexits.h: a temporary failure; train.py's status after a stop that was asked for
stopping=0 child=0

say() { echo "$(date +%FT%T) job ${SLURM_JOB_ID}: $*"; }

mark() { # WORDS: what has become of the job, where slurm/pipeline.sh looks for it
    [ -n "${SCIGEN_MARKS:-}" ] || return 0
    local file="$SCIGEN_MARKS/$SCIGEN_STAGE${SLURM_ARRAY_TASK_ID:+.$SLURM_ARRAY_TASK_ID}"
    echo "$*" >"$file.new" && mv "$file.new" "$file"
}

log_of_job() { scontrol show job "$SLURM_JOB_ID" | sed -n 's/^ *StdOut=//p'; }

near_the_end() { # the time limit is near: the command may save, but must be gone before Slurm kills what saves nothing
    stopping=1
    say "the time limit is near; a checkpoint is asked for"
    kill -USR1 "$child" 2>/dev/null || true
    local limit
    limit=$(date -d "$(squeue -h -j "$SLURM_JOB_ID" -o %e)" +%s)
    (sleep $((limit - $(date +%s) - 45)) && kill -KILL "$child") >/dev/null 2>&1 &
    killer=$!
}

supervise() { # COMMAND...: runs it and passes on what Slurm says to the batch script; its status
    local status
    "$@" &
    child=$!
    trap near_the_end USR1
    trap 'say "told to end"; kill -TERM "$child" 2>/dev/null || true' TERM
    while :; do
        status=0
        wait "$child" || status=$?
        kill -0 "$child" 2>/dev/null || break # else it was a signal to this script that ended the waiting
    done
    trap - USR1 TERM
    kill "${killer:-$child}" 2>/dev/null || true
    return "$status"
}

finish() { # STATUS: ends the job, or puts it back into the queue if it was stopped before its end
    if [ "$1" = 0 ]; then
        mark "ok"
        exit 0
    fi
    if [ "$1" = "$AGAIN" ] || [ "$stopping" = 1 ]; then
        if ((${SLURM_RESTART_COUNT:-0} < SCIGEN_MAX_RESTARTS)); then
            say "stopped with status $1; back into the queue"
            mark "requeued"
            scontrol requeue "$SLURM_JOB_ID" && sleep 300 # Slurm ends the script; if it ended by itself, the job would have failed
            exit "$AGAIN"
        fi
        say "stopped with status $1 after $SCIGEN_MAX_RESTARTS restarts (SCIGEN_MAX_RESTARTS); submit it again to go on"
    fi
    say "failed with status $1"
    mark "failed $1 $(log_of_job)"
    exit "$1"
}
