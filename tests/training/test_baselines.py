"""The baseline, sampled as in the paper and as the model's authors sample it, and the benchmarks' configs."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from experiment_configs import composed

ROOT = Path(__file__).parents[2]
LOOPS = ROOT / "scigen" / "training" / "trainer" / "agent_loops.yaml"


def test_training_and_evaluation_share_prompt_and_pixels() -> None:
    trained = composed("nanobanana")
    for benchmark in ("mathvision_geometry3k", "mathvision_full"):
        node = composed("baseline", f"benchmark={benchmark}")["benchmark"]
        assert node["prompts"]["open"] == trained["trainset"]["prompt"]
        budget = trained["policy"]["pixels"]
        assert node["pixels"] == {k: budget[k] for k in ("min_pixels", "max_pixels")}
        assert {node[k]["name"] for k in ("mathvision", "geometry3k") if k in node} == set(node["files"])


def test_the_two_baselines_differ_in_sampling_alone() -> None:
    ours, authors = composed("baseline"), composed("baseline_authors")
    assert ours["mode"] == authors["mode"] == "evaluate"
    for same in ("benchmark", "policy", "reward", "cluster", "trainset"):
        assert ours[same] == authors[same]
    values = [cfg["verl"]["actor_rollout_ref"]["rollout"]["val_kwargs"] for cfg in (ours, authors)]
    assert values[0] == {"n": 4, "temperature": 0.6, "do_sample": True}
    assert values[1] == {"n": 4, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "do_sample": True}
    assert [cfg["verl"]["data"]["max_response_length"] for cfg in (ours, authors)] == [8192, 32768]


@pytest.mark.slow
def test_the_authors_settings_merge_into_the_installed_verl() -> None:
    from scigen.training.trainer.compose import compose, validate

    node = composed("baseline_authors", "benchmark=mathvision_full")["verl"]
    verl = compose(node | {"data": node["data"] | {"train_files": node["data"]["val_files"]}})
    validate(verl, gpu=True)
    assert verl["trainer"]["val_only"]
    assert verl["trainer"]["resume_mode"] == "disable"
    rollout = verl["actor_rollout_ref"]["rollout"]
    assert rollout["response_length"] == 32768
    assert rollout["agent"]["default_agent_loop"] == "presence_penalty_1_5"


@pytest.mark.slow
def test_the_authors_presence_penalty_reaches_the_server(tmp_path: Path) -> None:
    """verl's own way from its config file to the request, with a tiny Qwen3-VL's processor."""
    import hydra
    from omegaconf import OmegaConf
    from PIL import Image

    from scigen import torchvision_shim
    from scigen.training.policy import tiny

    torchvision_shim.install()
    from transformers import AutoProcessor
    from verl.experimental.agent_loop.agent_loop import DictConfigWrap, ToolListWrap
    from verl.utils.dataset.rl_dataset import RLHFDataset
    from verl.workers.rollout.replica import TokenOutput

    tiny.build(tmp_path / "policy", ["Which colour?"], ["red"], seed=0)
    processor = AutoProcessor.from_pretrained(tmp_path / "policy")
    requests: list[dict[str, Any]] = []

    class Server:
        async def generate(self, **request: Any) -> TokenOutput:
            requests.append(request)
            end = processor.tokenizer.eos_token_id
            return TokenOutput(token_ids=[5, end], log_probs=None, stop_reason="completed", extra_fields={})

    wanted = composed("baseline_authors")["verl"]["actor_rollout_ref"]["rollout"]["agent"]
    assert ROOT / wanted["agent_loop_config_path"] == LOOPS
    (entry,) = [e for e in OmegaConf.load(LOOPS) if e.name == wanted["default_agent_loop"]]
    config = OmegaConf.create(
        {"actor_rollout_ref": {"rollout": {"prompt_length": 64, "response_length": 8}}, "data": {"image_key": "images"}}
    )

    async def ask() -> Any:
        loop = hydra.utils.instantiate(
            config=entry,
            trainer_config=DictConfigWrap(config=config),
            server_manager=Server(),
            tokenizer=processor.tokenizer,
            processor=processor,
            hf_model_type="qwen3_vl",
            dataset_cls=RLHFDataset,
            data_config=DictConfigWrap(config.data),
            tools=ToolListWrap([]),
        )
        picture = io.BytesIO()
        Image.new("RGB", (96, 96)).save(picture, format="PNG")
        parts = [{"type": "image", "image": Image.open(picture)}, {"type": "text", "text": "Which colour?"}]
        return await loop.run(
            {"temperature": 0.7, "top_p": 0.8, "top_k": 20}, raw_prompt=[{"role": "user", "content": parts}]
        )

    output = asyncio.run(ask())
    (request,) = requests
    assert request["sampling_params"] == {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "presence_penalty": 1.5}
    assert len(request["image_data"]) == 1
    assert output.response_ids == [5, processor.tokenizer.eos_token_id]
