"""The CPU's reward model server speaks the OpenAI dialect, and a verifier that knows nothing is paid no attention."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scigen import torchvision_shim
from scigen.errors import ScigenError
from scigen.training.policy import tiny, tiny_verifier
from scigen.training.verifier import canaries, preflight
from scigen.training.verifier.client import Reply, Verifier
from scigen.training.verifier.reward import Outcome, close, compute_score, judge
from scigen.training.verifier.settings import FUNCTION, VerifierSettings

torchvision_shim.install()


@pytest.mark.slow  # imports verl and Ray, and samples from a model
def test_a_generative_verifier_is_asked_for_real(tmp_path: Path) -> None:
    from scigen.training.trainer.openai_server import serve
    from scigen.training.trainer.rollout import TransformersServer

    tiny_verifier.build(tmp_path / "verifier", ["Which colour?", "red"], seed=0)
    sizes = SimpleNamespace(prompt_length=4088, response_length=8, seed=0)
    server = TransformersServer(sizes, str(tmp_path / "verifier"), 0)

    async def run() -> tuple[list[tuple[Outcome, Reply]], dict[str, float | str]]:
        router = await serve(server, "tiny")
        chosen = VerifierSettings(endpoint=f"http://{router}/v1", context=4096, max_reply=8, attempts=1)
        async with Verifier(chosen) as verifier:
            asked = [c for c in canaries.canaries() if c.kind.name in ("right", "invalid_word")]
            said = await asyncio.gather(
                *(judge(verifier, c.problem.question, c.problem.truth, c.response, "", server.tokenizer) for c in asked)
            )
        kwargs = {"context": 4096, "max_reply": 8, "rule_first": False}
        scored = await compute_score(
            "held_out", r"\boxed{red}", "red", {"question": "Which colour?"}, router, server.tokenizer, **kwargs
        )
        await close()
        config = {"path": FUNCTION, "reward_kwargs": {"endpoint": chosen.endpoint, "context": 4096}}
        verl = {"reward": {"custom_reward_function": config, "reward_model": {"enable": False}}}
        await asyncio.to_thread(preflight.preflight, verl)
        return list(said), scored

    said, scored = asyncio.run(run())
    assert len({reply.text for _, reply in said}) > 1, "it reads its prompts"
    assert {outcome for outcome, _ in said} == {Outcome.UNPARSED}
    assert all(not reply.faults for _, reply in said)
    assert (scored["outcome"], scored["score"], scored["asked"]) == (Outcome.UNPARSED, 0, 1)


@pytest.mark.slow  # imports verl and Ray, and samples from a model
def test_verls_own_reward_worker_and_router_reach_it(tmp_path: Path) -> None:
    """All of verl's path but the placement by Ray: reward worker, reward manager, router, the verifier's tokenizer."""
    import numpy as np
    import torch
    import uvicorn
    from omegaconf import OmegaConf
    from tensordict import TensorDict
    from verl import DataProto
    from verl.experimental.reward_loop.reward_loop import RewardLoopWorker
    from verl.experimental.reward_loop.router.naive_router import NaiveRouter

    from scigen.training.trainer.rollout import TransformersServer

    tiny.build(tmp_path / "policy", ["Which colour?"], ["red", "blue"], seed=0)
    tiny_verifier.build(tmp_path / "verifier", ["Which colour?", "red", "blue"], seed=0)
    function = {"path": FUNCTION, "name": "compute_score", "reward_kwargs": {"context": 4096, "max_reply": 4}}
    module = {"path": "pkg://scigen.training.trainer.reward_manager"}
    manager = {"source": "importlib", "name": "RecordingRewardManager", "module": module}
    served = {"enable": True, "model_path": str(tmp_path / "verifier")}
    model = {"path": str(tmp_path / "policy"), "tokenizer_path": None}
    reward = {"custom_reward_function": function, "reward_manager": manager, "reward_model": served}
    config = OmegaConf.create({"actor_rollout_ref": {"model": model}, "reward": reward})
    shared = {"question": "Which colour?", "problem_id": "p1"}

    def objects(values: list[Any]) -> Any:
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array

    async def run() -> list[dict[str, Any]]:
        server = TransformersServer(
            SimpleNamespace(prompt_length=4092, response_length=4, seed=0), served["model_path"], 0
        )
        router = uvicorn.Server(
            uvicorn.Config(
                NaiveRouter([f"http://{await server.start_endpoint()}"]).app, port=0, log_level="warning", lifespan="on"
            )
        )
        serving = asyncio.create_task(router.serve())
        async with asyncio.timeout(60):
            while not router.started:
                await asyncio.sleep(0.02)
        port = router.servers[0].sockets[0].getsockname()[1]
        worker = RewardLoopWorker(config, f"127.0.0.1:{port}")
        texts = [r"\boxed{red}<|im_end|>", r"\boxed{blue}<|im_end|>", r"\boxed{red}", "<|im_end|>"]
        ids = [worker.input_tokenizer(text)["input_ids"] for text in texts]
        width = max(map(len, ids))
        responses, mask = torch.zeros(4, width, dtype=torch.long), torch.zeros(4, 1 + width, dtype=torch.long)
        mask[:, 0] = 1  # a prompt of one token
        for i, row in enumerate(ids):
            responses[i, : len(row)] = torch.tensor(row)
            mask[i, 1 : 1 + len(row)] = 1
        tensors = {"prompts": mask[:, :1], "responses": responses, "attention_mask": mask}
        others = {"data_source": ["t"] * 4, "reward_model": [{"ground_truth": "red"}] * 4, "extra_info": [shared] * 4}
        data = DataProto(
            batch=TensorDict(tensors, batch_size=4), non_tensor_batch={k: objects(v) for k, v in others.items()}
        )
        try:
            return [dict(found) for found in await worker.compute_score_batch(data)]
        finally:
            await close()
            router.should_exit = True
            await serving

    found = asyncio.run(run())
    said = [each["reward_extra_info"] for each in found]
    assert [s["outcome"] for s in said] == ["by_rule", "unparsed", "truncated", "no_answer"]
    assert [each["reward_score"] for each in found] == [1, 0, 0, 0]
    assert [s["truncated"] for s in said] == [0, 0, 1, 0]
    assert [s["asked"] for s in said] == [0, 1, 0, 0]
    assert [s["verifier_http_errors"] + s["verifier_cuts"] for s in said] == [0] * 4
    assert {s["problem_id"] for s in said} == {"p1"}
    assert "truncated" not in shared, "rollouts that share a row are not told of each other's"


def test_a_verifier_that_is_not_there_is_named_before_the_run_starts() -> None:
    given = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "attempts": 1}
    verl = {
        "reward": {
            "custom_reward_function": {"path": FUNCTION, "reward_kwargs": given},
            "reward_model": {"enable": False},
        }
    }
    with pytest.raises(ScigenError, match=r"reward\.endpoint: http://127\.0\.0\.1:9/v1 gives no verdict \(.*Start the"):
        preflight.preflight(verl)
