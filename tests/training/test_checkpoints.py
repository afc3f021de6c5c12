"""What `checkpoint=` may name, and what each faulty one is told. Real shards are merged in test_evaluation.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from scigen.errors import ScigenError
from scigen.training.checkpoints import resolve_checkpoint


def model_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").touch()
    return folder


def actor_folder(folder: Path, world: int = 2, ranks: int = 2) -> Path:
    (folder / "huggingface").mkdir(parents=True)
    (folder / "huggingface" / "config.json").write_text("{}")
    (folder / "fsdp_config.json").write_text("{}")
    for rank in range(ranks):
        (folder / f"model_world_size_{world}_rank_{rank}.pt").touch()
    return folder


def test_a_folder_of_transformers_files_and_a_hub_name_are_taken_as_they_are(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "policy")
    assert resolve_checkpoint(str(folder), tmp_path / "merged") == str(folder)
    name = "Qwen/Qwen3-VL-8B-Instruct"
    assert resolve_checkpoint(name, tmp_path / "merged") == name
    assert not (tmp_path / "merged").exists()


def test_weights_that_verl_saved_for_transformers_are_used_at_every_name_of_the_run(tmp_path: Path) -> None:
    step = tmp_path / "run" / "verl" / "checkpoints" / "global_step_40"
    (actor_folder(step / "actor") / "huggingface" / "model.safetensors").touch()
    (step.parent / "latest_checkpointed_iteration.txt").write_text("40")
    (step.parent / "global_step_20").mkdir()
    for name in (tmp_path / "run", step.parent, step, step / "actor"):
        assert resolve_checkpoint(str(name), tmp_path / "merged") == str(step / "actor" / "huggingface")


@pytest.mark.parametrize("name", ["no/such/folder", "./gone", "Qwen3-VL-8B"])
def test_neither_a_folder_nor_a_hub_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScigenError, match=f"checkpoint={name}: there is no such folder"):
        resolve_checkpoint(name, tmp_path / "merged")


def test_a_name_below_a_folder_that_is_there_is_no_hub_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").mkdir()
    with pytest.raises(ScigenError, match="checkpoint=outputs/tiny-seed7: there is no such folder"):
        resolve_checkpoint("outputs/tiny-seed7", tmp_path / "merged")


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"neither a folder of transformers files .* nor one of verl's checkpoints"):
        resolve_checkpoint(str(tmp_path), tmp_path / "merged")


def test_incomplete_shards_are_named_before_the_merger_starts(tmp_path: Path) -> None:
    lacking = actor_folder(tmp_path / "a", world=4, ranks=3)
    with pytest.raises(ScigenError, match="no shard of rank 3"):
        resolve_checkpoint(str(lacking), tmp_path / "merged")
    mixed = actor_folder(tmp_path / "b")
    (mixed / "model_world_size_8_rank_0.pt").touch()
    with pytest.raises(ScigenError, match=r"shards of runs on \[2, 8\] GPUs"):
        resolve_checkpoint(str(mixed), tmp_path / "merged")
    bare = actor_folder(tmp_path / "c")
    (bare / "fsdp_config.json").unlink()
    with pytest.raises(ScigenError, match=r"has no fsdp_config\.json"):
        resolve_checkpoint(str(bare), tmp_path / "merged")
