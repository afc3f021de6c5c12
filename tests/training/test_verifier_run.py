"""verl trains on while its verifier hangs, fails and talks nonsense, and every count is what the verifier did."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_verl_cpu_run import COLOURS, config, rows

from scigen.training.policy import tiny, tiny_verifier
from scigen.training.policy.warm_start import Supervised, warm_start
from scigen.training.trainer import run_metrics
from scigen.training.trainer.launch import train
from scigen.training.verifier import canaries
from scigen.training.verifier.settings import FUNCTION

STEPS = 2
FAULTS = {"hang": 1, "http_500": 4, "http_429": 2, "cut": 3, "garbage": 3, "unparsed": 5}
COUNTED = {
    "hang": "verifier_timeouts",
    "http_500": "verifier_http_errors",
    "http_429": "verifier_busy",
    "cut": "verifier_cuts",
    "garbage": "verifier_garbage",
}
PAID = {"by_rule", "correct"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of three colours and a policy that has learnt to box one at random: its lessons had the colours mixed up."""
    import datasets

    folder = tmp_path_factory.mktemp("verifier")
    tiny.build(folder / "random", ["Which colour?", "Name the colour."], list(COLOURS), seed=0)
    for source, n in (("train", 24), ("held_out", 6)):
        datasets.Dataset.from_list(list(rows(source, n))).to_parquet(folder / f"{source}.parquet")
    mixed = list(rows("lessons", 48))
    for i, row in enumerate(mixed):
        row["reward_model"] = {"style": "rule", "ground_truth": list(COLOURS)[(i // 3) % 3]}
    datasets.Dataset.from_list(mixed).to_parquet(folder / "lessons.parquet")
    recipe = Supervised(steps=60, batch_size=16, warm_up=5, lr=4e-3)
    warm_start(folder / "random", folder / "lessons.parquet", folder / "policy", recipe)
    return folder


def asking(folder: Path, run: Path, steps: int, **kwargs: Any) -> dict[str, Any]:
    """The configuration of a run whose reward asks a verifier; it learns so slowly that the policy stays as it is."""
    verl = config(folder, run, steps)
    verl["data"]["train_batch_size"] = verl["actor_rollout_ref"]["actor"]["ppo_mini_batch_size"] = 24
    verl["actor_rollout_ref"]["actor"]["optim"]["lr"] = 1e-5
    verl["trainer"] |= {"test_freq": steps, "save_freq": -1}
    function = {"path": FUNCTION, "name": "compute_score", "reward_kwargs": kwargs}
    verl["reward"]["custom_reward_function"] = function
    return verl


@pytest.fixture
def verifier(tmp_path: Path) -> Iterator[str]:
    """The address of the faulty verifier, a process of its own."""
    server = Path(__file__).with_name("verifier_server.py")
    process = subprocess.Popen([sys.executable, str(server), str(tmp_path), "0", json.dumps(FAULTS)])
    try:
        until = time.monotonic() + 120
        while not (tmp_path / "address").exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        yield (tmp_path / "address").read_text()
    finally:
        process.kill()
        process.wait()


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_training_goes_on_with_a_faulty_verifier_and_its_counts_are_right(
    folder: Path, verifier: str, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    verl = asking(folder, run, STEPS, endpoint=verifier, attempts=2, attempt_s=4, rule_first=False)
    watch = {"_target_": "scigen.training.verifier.watch.VerifierWatch", "every": STEPS}
    train(verl, run, True, tmp_path / "verl.log", [watch])
    check(run, read(tmp_path / "requests.jsonl"))


def check(run: Path, requests: list[dict[str, str]]) -> None:
    """What the run says of its verifier is what the verifier says of itself."""
    metrics = run_metrics.read(run / "metrics.jsonl")
    assert list(metrics) == list(range(1, STEPS + 1)), "no step was lost"
    treated: dict[str, list[dict[str, str]]] = defaultdict(list)
    for request in requests:
        treated[request["id"]].append(request)
    on_canaries = sum(len(r) for name, r in treated.items() if name.startswith("canary-"))
    assert 2 * len(canaries.canaries()) <= on_canaries

    dumps = {step: read(run / "rewards" / f"{step}.jsonl") for step in metrics}
    validation = read(run / "generations" / f"{STEPS}.jsonl")
    everything = [row for of_step in dumps.values() for row in of_step] + validation
    by_request = {row["verifier_id"]: row for row in everything if row["asked"]}
    assert set(by_request) == {name for name in treated if not name.startswith("canary-")}, "none lost, none made up"
    assert len(by_request) > 60
    slow = set()
    for name, row in by_request.items():
        did = Counter(r["did"] for r in treated[name])
        if row["verifier_timeouts"] > did["hang"]:  # this machine stood still for seconds
            slow.add(name)
            continue
        assert {c: row[c] for c in COUNTED.values()} == {c: did[fault] for fault, c in COUNTED.items()}
        last = treated[name][-1]
        said = {"A": "correct", "B": "incorrect", "C": "invalid"}
        outcome = {"verdict": said.get(last["said"]), "unparsed": "unparsed"}.get(last["did"], "verifier_error")
        assert row["outcome"] == outcome
        assert row["reply"].startswith(last["said"]) or outcome == "verifier_error"
    assert len(slow) <= 0.1 * len(by_request)

    for row in everything:
        assert row["acc"] == row["score"] == float(row["outcome"] in PAID)
        assert row["asked"] or row["outcome"] in ("truncated", "no_answer")
    found = Counter(row["outcome"] for row in everything)
    assert min(found[o] for o in ("correct", "incorrect", "unparsed", "verifier_error")) > 0, found
    for step, of_step in dumps.items():
        assert len(of_step) == metrics[step]["reward/rollouts"] == 24 * 4
        for name in ("score", "unparsed", "verifier_error", "truncated", "no_answer", *COUNTED.values()):
            assert metrics[step][f"reward/{name}"] == pytest.approx(sum(r[name] for r in of_step) / len(of_step))
        assert metrics[step]["reward/score"] == pytest.approx(metrics[step]["critic/score/mean"])
        silent = sum(row["unparsed"] + row["verifier_error"] for row in of_step) / sum(row["asked"] for row in of_step)
        assert metrics[step]["alarm/verifier_failing"] == (silent > 0.05)
        assert metrics[step]["hooks/failed"] == 0
    flags = metrics[STEPS]["val-aux/held_out/unparsed/mean@4"]
    assert flags == pytest.approx(sum(row["unparsed"] for row in validation) / len(validation))
    # canaries met the same faults, and each without a verdict is counted as such
    assert all(f"canary/{kind.name}" in metrics[step] for kind in canaries.KINDS for step in (1, STEPS))
    seen = [row for row in read(run / "verifier/canaries.jsonl") if row["step"] == STEPS]
    silent = sum(row["outcome"] in ("unparsed", "verifier_error") for row in seen)
    assert metrics[STEPS]["canary/unanswered"] == pytest.approx(silent / len(seen))
    assert metrics[STEPS]["canary/paid_wrongly"] == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_verl_serves_a_verifier_in_the_loop_and_nothing_unparsed_is_paid(
    folder: Path, tmp_path: Path, full: bool
) -> None:
    """verl's own reward model server and router, with a generative verifier that has learnt nothing; the rule pays."""
    if not full:
        pytest.skip("a second run of verl for what test_tiny_verifier.py shows without Ray; --full runs it")
    tiny_verifier.build(folder / "verifier", ["Which colour?", "Name the colour.", *COLOURS], seed=0)
    run = tmp_path / "run"
    verl = asking(folder, run, 1, context=4096, max_reply=4)
    verl["trainer"]["test_freq"] = -1
    verl["ray_kwargs"]["ray_init"]["num_gpus"] = 2  # slots: the policy's and the verifier's
    served = verl["reward"]["reward_model"]
    served |= {"enable": True, "enable_resource_pool": True, "nnodes": 1, "n_gpus_per_node": 1}
    served["model_path"] = str(folder / "verifier")
    served["rollout"] |= {"name": "transformers_cpu", "tensor_model_parallel_size": 1, "free_cache_engine": False}
    served["rollout"] |= {"prompt_length": 4092, "response_length": 4}
    watch = {"_target_": "scigen.training.verifier.watch.VerifierWatch", "every": 1000}
    train(verl, run, True, tmp_path / "verl.log", [watch])

    metrics = run_metrics.read(run / "metrics.jsonl")[1]
    of_step = read(run / "rewards" / "1.jsonl")
    found = Counter(row["outcome"] for row in of_step)
    assert set(found) <= {"by_rule", "unparsed", "truncated", "no_answer"}, "it was reached, and gave no verdict"
    assert found["unparsed"] > 0
    assert found["by_rule"] > 0
    assert any(row["reply"] for row in of_step if row["asked"]), "real text of the generative verifier"
    assert all(row["score"] == (row["outcome"] == "by_rule") for row in of_step)
    assert metrics["critic/score/mean"] == pytest.approx(found["by_rule"] / len(of_step))
    assert metrics["reward/unparsed"] == pytest.approx(found["unparsed"] / len(of_step))
    assert metrics["reward/rule_agreement"] == 1, "only the rule has paid"
    assert (metrics["canary/unanswered"], metrics["canary/passed"]) == (1, 0)
    assert metrics["alarm/verifier_failing"] == 1
    assert metrics["hooks/failed"] == 0
