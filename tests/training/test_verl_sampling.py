"""The CPU rollout samples what transformers would, and sharing work between rollouts changes nothing."""

import pytest

from scigen import torchvision_shim

torchvision_shim.install()
torch = pytest.importorskip("torch")

from scigen.training.policy import tiny  # noqa: E402
from scigen.training.trainer.sampling import Prompt, Sampling, sample, suppressed_tokens  # noqa: E402

QUESTIONS = ["Which way?", "Which of the two arrows is the longer one?", "How many?"]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    from transformers import AutoModelForImageTextToText, AutoProcessor

    folder = tmp_path_factory.mktemp("tiny") / "policy"
    tiny.build(folder, QUESTIONS, ["left", "right"], seed=0)
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    return model, AutoProcessor.from_pretrained(folder)


def prompts(policy, n):
    from PIL import Image

    processor = policy[1]
    made = []
    for i, question in enumerate(QUESTIONS):
        picture = Image.new("RGB", (96, 96), (90 * i, 255 - 90 * i, 40))
        content = [{"type": "image"}, {"type": "text", "text": question}]
        text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        e = processor(text=[text], images=[picture], return_tensors="pt")
        made.append(Prompt(tuple(e["input_ids"][0].tolist()), e["pixel_values"], e["image_grid_thw"], n, 8))
    assert len({len(p.ids) for p in made}) > 1, "the prompts must differ in length"
    return made


def inputs(model, prompt, extra=()):
    ids = torch.tensor([[*prompt.ids, *extra]])
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "pixel_values": prompt.pixel_values,
        "image_grid_thw": prompt.image_grid_thw,
        "mm_token_type_ids": (ids == model.config.image_token_id).int(),
    }


def run(policy, made, sampling, seed=0):
    model, processor = policy
    tokenizer = processor.tokenizer
    generator = torch.Generator().manual_seed(seed)
    return sample(model, made, sampling, tokenizer.pad_token_id, [tokenizer.eos_token_id], generator)


def test_greedy_is_transformers_generate(policy):
    model = policy[0]
    made = prompts(policy, n=3)
    for prompt, rollouts in zip(made, run(policy, made, Sampling(0.0)), strict=True):
        with torch.inference_mode():
            out = model.generate(
                **inputs(model, prompt),
                max_new_tokens=8,
                do_sample=False,
                suppress_tokens=suppressed_tokens(model.config),
            )
        expected = out[0, len(prompt.ids) :].tolist()
        assert [r.token_ids for r in rollouts] == [expected] * 3


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probs_are_those_of_a_full_forward_pass(policy, temperature):
    model = policy[0]
    made = prompts(policy, n=2)
    sampled = run(policy, made, Sampling(temperature))
    assert len({tuple(r.token_ids) for group in sampled for r in group}) > 3, "these are samples"
    for prompt, rollouts in zip(made, sampled, strict=True):
        for r in rollouts:
            with torch.inference_mode():
                logits = model(**inputs(model, prompt, r.token_ids)).logits[0, len(prompt.ids) - 1 : -1]
            logp = (logits / temperature).log_softmax(-1).gather(-1, torch.tensor(r.token_ids)[:, None])[:, 0]
            assert torch.allclose(logp, torch.tensor(r.log_probs), atol=1e-4)


def test_never_samples_a_placeholder_and_stops_at_the_end(policy):
    model, processor = policy
    rollouts = [r for g in run(policy, prompts(policy, n=100), Sampling(5.0)) for r in g]
    end = processor.tokenizer.eos_token_id
    assert not {t for r in rollouts for t in r.token_ids} & set(suppressed_tokens(model.config))
    assert any(r.finished for r in rollouts)
    for r in rollouts:
        assert r.finished == (r.token_ids[-1] == end)
        assert end not in r.token_ids[:-1]
        assert len(r.token_ids) == len(r.log_probs) <= 8


def test_a_seed_gives_the_same_samples(policy):
    made = prompts(policy, n=4)
    assert run(policy, made, Sampling(1.0), 3) == run(policy, made, Sampling(1.0), 3)
    assert run(policy, made, Sampling(1.0), 3) != run(policy, made, Sampling(1.0), 4)


def test_sharing_pictures_changes_neither_features_nor_gradients(policy):
    from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLVisionModel

    from scigen.training.trainer import patches

    tower = policy[0].model.visual
    few = torch.randn(3, 36, 1536, generator=torch.Generator().manual_seed(0))
    pixels = few[[0, 2, 1, 1, 0, 2, 2]].reshape(-1, 1536)
    grid = torch.tensor([[1, 6, 6]] * 7)
    weight = torch.randn(7 * 9, 128, generator=torch.Generator().manual_seed(1))

    def features_and_gradients():
        tower.zero_grad()
        out = tower(pixels, grid_thw=grid)
        ((out.pooler_output + out.deepstack_features[0]) * weight).sum().backward()
        return out.pooler_output.detach(), [p.grad.clone() for p in tower.parameters()]

    original = Qwen3VLVisionModel.forward
    features, gradients = features_and_gradients()
    try:
        patches.shared_pictures()
        shared_features, shared_gradients = features_and_gradients()
    finally:
        Qwen3VLVisionModel.forward = original
    assert torch.allclose(features, shared_features, atol=1e-5)
    for a, b in zip(gradients, shared_gradients, strict=True):
        assert torch.allclose(a, b, atol=1e-4 * float(a.abs().max()) + 1e-6)
    starts, groups = patches.distinct_rows(pixels.reshape(7, -1))
    assert starts.tolist() == [0, 1, 2]
    assert groups.tolist() == [0, 1, 2, 2, 0, 1, 1]
