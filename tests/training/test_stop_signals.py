"""A signal asks the training to stop; whoever else waits for that signal gets it when the training has."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType

import pytest

from scigen.training.trainer.launch import RunStopped, joins
from scigen.training.trainer.main import settings_of_ours
from scigen.training.trainer.stop_signals import stopping_at_signals
from scigen.training.trainer.watched import STOP


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM])
def test_a_signal_asks_for_a_stop_and_its_handler_is_put_back(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stopping_at_signals(tmp_path):
        assert not (tmp_path / STOP).exists()
        os.kill(os.getpid(), number)
        assert (tmp_path / STOP).exists()
    assert signal.getsignal(number) is before


def test_submitits_handler_runs_after_the_stop_and_may_end_the_process(tmp_path: Path) -> None:
    seen: list[bool] = []

    def requeue(number: int, frame: FrameType | None) -> None:
        seen.append((tmp_path / STOP).exists())
        raise SystemExit(-1)

    def train() -> None:
        with stopping_at_signals(tmp_path):
            os.kill(os.getpid(), signal.SIGUSR2)
            assert not seen, "not before the checkpoint is written"
            raise RunStopped(3, 8)

    before = signal.signal(signal.SIGUSR2, requeue)
    try:
        with pytest.raises(SystemExit):
            train()
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert seen == [True]


def test_a_second_sigterm_does_not_wait(tmp_path: Path) -> None:
    def train() -> None:
        with stopping_at_signals(tmp_path):
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail("the process went on")

    with pytest.raises(SystemExit) as ended:
        train()
    assert ended.value.code == 128 + signal.SIGTERM


def test_a_stopped_run_has_a_status_of_its_own() -> None:
    assert RunStopped(3, 8).exit_status == 75
    assert str(RunStopped(3, 8)) == "stopped as asked at step 3 of 8. Run the same command again to go on."


def test_a_joined_cluster_gets_our_settings_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERL_FILE_LOGGER_PATH", "/run/metrics.jsonl")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    for name in ("WANDB_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "secret")
    told = settings_of_ours()
    assert told["VERL_FILE_LOGGER_PATH"] == "/run/metrics.jsonl"
    assert told["TOKENIZERS_PARALLELISM"] == "false"
    assert "secret" not in told.values()
    assert joins({"ray_kwargs": {"ray_init": {"address": "auto"}}})
    assert not joins({"ray_kwargs": {"ray_init": {"num_cpus": 16}}})
