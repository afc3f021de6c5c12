"""Rows of text alone in the tiny policy's own stages: the tensors of the warm start, and the sampler's prompts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scigen.records import GeneratedImage, Problem
from scigen.training.policy import tiny
from scigen.training.policy.examples import Examples
from scigen.training.policy.sampling import load
from scigen.training.rows import Row, verl_row, write_parquet

pytestmark = pytest.mark.slow  # loads transformers
QUESTIONS = ("How many dots?", "Is the left one longer than the right one?")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("text")
    image = GeneratedImage(problem_id="p", generator="g", status="ok", image="0" * 64)
    rows = [
        Row(Problem(id=f"p{i}", source="t", question=q, answer="yes", multimodal_question=q), image, None)
        for i, q in enumerate(QUESTIONS)
    ]
    write_parquet(root / "train.parquet", [verl_row(i, r, "train", "{question}") for i, r in enumerate(rows)])
    tiny.build(root / "policy", QUESTIONS, ["yes"], 0)
    return root


def test_the_warm_starts_tensors_have_no_picture_and_the_models_own_positions(folder: Path) -> None:
    """transformers' get_rope_index is the reference for the positions."""
    examples, model = Examples(folder / "policy", folder / "train.parquet"), load(folder / "policy")
    inputs, labels = examples.batch([0, 1])
    assert not {"pixel_values", "image_grid_thw"} & inputs.keys()
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    assert model.config.image_token_id not in ids
    expected, _ = model.model.get_rope_index(input_ids=ids, mm_token_type_ids=ids * 0, attention_mask=mask)
    assert (inputs["position_ids"] == expected)[:, mask.bool()].all()
    assert [int((row != -100).sum()) for row in labels] == [4, 4]  # \boxed{ yes } end
    assert model(**inputs, use_cache=False).logits.shape[:2] == ids.shape


def test_the_sampler_takes_prompts_without_pictures(folder: Path) -> None:
    """Log-probabilities of what was sampled are those of one plain forward pass."""
    import torch

    from scigen.training.trainer.sampling import Prompt, Sampling, sample

    examples, model = Examples(folder / "policy", folder / "train.parquet"), load(folder / "policy").eval()
    prompts = [Prompt(tuple(p), n=2, max_tokens=3) for p in examples.prompts]
    generator = torch.Generator().manual_seed(0)
    eos = json.loads((folder / "policy/generation_config.json").read_text())["eos_token_id"]
    found = sample(model, prompts, Sampling(), examples.tok.pad_token_id, eos, generator)
    assert [len(group) for group in found] == [2, 2]
    for prompt, group in zip(prompts, found, strict=True):
        for rollout in group:
            ids = torch.tensor([[*prompt.ids, *rollout.token_ids]])
            with torch.no_grad():
                logp = model(input_ids=ids).logits.float().log_softmax(-1)[0, len(prompt.ids) - 1 : -1]
            expected = [logp[i, token].item() for i, token in enumerate(rollout.token_ids)]
            assert rollout.log_probs == pytest.approx(expected, abs=1e-3)
