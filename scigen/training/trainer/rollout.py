"""`rollout.name=transformers_cpu`: verl's server-mode rollout with this project's sampler as its engine.

TransformersReplica launches one Ray actor (TransformersServer) a replica, as verl's vLLM replica does;
TransformersAdapter lives in the training worker and sends it the new weights after each step.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import Any

import ray
import torch
from verl.workers.config import HFModelConfig, RolloutConfig
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

from scigen.training.trainer.sampling import Prompt, Rollout, Sampling, sample

TICK_S = 0.02
"""How long the server gathers requests before it starts a batch."""
MAX_ROWS = 1024
"""Most rollouts in one batch."""


def server_name(replica_rank: int, kind: str = "") -> str:
    """Name of the server actor within the run's own Ray instance."""
    return f"transformers_cpu_{kind}server_{replica_rank}"


class TransformersServer:
    """Token-in token-out generation; requests that arrive together share a batch and, if equal, a prefill."""

    def __init__(self, config: RolloutConfig, model_path: str, replica_rank: int) -> None:
        from transformers import (
            AutoConfig,
            AutoModelForCausalLM,
            AutoModelForImageTextToText,
            AutoProcessor,
            AutoTokenizer,
        )

        hf = AutoConfig.from_pretrained(model_path, attn_implementation="sdpa")
        vlm = hasattr(hf, "vision_config")
        auto = AutoModelForImageTextToText if vlm else AutoModelForCausalLM
        self.config = config
        self.model_path = model_path
        self.rank = replica_rank
        self.processor = AutoProcessor.from_pretrained(model_path) if vlm else None
        self.tokenizer = self.processor.tokenizer if self.processor else AutoTokenizer.from_pretrained(model_path)
        self.model = auto.from_pretrained(model_path, config=hf, dtype=torch.float32).eval()
        eos = self.model.generation_config.eos_token_id
        self.eos = tuple(eos) if isinstance(eos, list) else (eos,)
        self.generator = torch.Generator()
        self.global_steps: int | None = None
        self._seed(0)
        self._queue: list[tuple[Sampling, Prompt, str, asyncio.Future[TokenOutput]]] = []
        self._pump: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    def _seed(self, global_steps: int) -> None:
        # By step, so that a resumed run samples what the unbroken one would have.
        self.generator.manual_seed((self.config.seed * 1_000_003 + self.rank) * 1_000_003 + global_steps)

    async def start(self) -> str:
        """Address for OpenAI-shaped requests; a rollout has none."""
        return f"{server_name(self.rank)}:0"

    async def start_endpoint(self) -> str:
        """Address for OpenAI-shaped requests: a reward model's."""
        from scigen.training.trainer import openai_server

        return await openai_server.serve(self, self.model_path)

    async def wake_up(self, *_: Any, **__: Any) -> None: ...
    async def sleep(self, *_: Any, **__: Any) -> None: ...
    async def clear_kv_cache(self) -> None: ...
    async def release_kv_cache(self) -> None: ...
    async def resume_kv_cache(self) -> None: ...
    async def start_profile(self, **_: Any) -> None: ...
    async def stop_profile(self) -> None: ...
    async def abort_all_requests(self, reject_request: bool = False) -> None: ...
    async def resume_generation(self) -> None: ...

    async def update_weights(self, weights: dict[str, torch.Tensor], global_steps: int | None = None) -> None:
        """Load a full state dict; a missing or unknown name is an error."""
        async with self._lock:
            own = self.model.state_dict()
            tied = {"lm_head.weight"}
            wrong = (weights.keys() - own.keys()) | (own.keys() - weights.keys() - tied)
            if wrong:
                raise RuntimeError(f"weights of the trainer and the rollout differ in names: {sorted(wrong)[:5]}")
            with torch.no_grad():
                for name, value in weights.items():
                    own[name].copy_(value)
            self.model.tie_weights()
            self.global_steps = global_steps if global_steps is not None else self.global_steps
            self._seed(self.global_steps or 0)

    async def generate_batch(self, prompts: list[Prompt], sampling: Sampling) -> tuple[list[list[Rollout]], int | None]:
        """All rollouts of many prompts at once, and the step of the weights: what the batched agent loop calls."""
        async with self._lock:
            return await asyncio.to_thread(self._generate, prompts, sampling), self.global_steps

    def _generate(self, prompts: list[Prompt], sampling: Sampling) -> list[list[Rollout]]:
        out: list[list[Rollout]] = []
        part: list[Prompt] = []
        for i, prompt in enumerate(prompts):
            part.append(prompt)
            rows = sum(p.n for p in part)
            if rows >= MAX_ROWS or i == len(prompts) - 1:
                out += sample(self.model, part, sampling, self.tokenizer.pad_token_id, self.eos, self.generator)
                part = []
        return out

    async def generate(
        self,
        prompt_ids: list[int],
        sampling_params: dict[str, Any],
        request_id: str,
        image_data: list[Any] | None = None,
        video_data: Any = None,
        audio_data: Any = None,
        mm_processor_kwargs: Any = None,
        priority: int = 0,
    ) -> TokenOutput:
        """One rollout of one prompt: verl's own interface, used by its agent loops."""
        if video_data or audio_data:
            raise NotImplementedError("transformers_cpu takes text and images only")
        asked = sampling_params.get("max_tokens") or sampling_params.get("max_new_tokens")
        room = self.config.prompt_length + self.config.response_length - len(prompt_ids)
        limit = max(1, min(asked or self.config.response_length, self.config.response_length, room))
        sampling = Sampling(
            float(sampling_params.get("temperature", 1.0)),
            float(sampling_params.get("top_p", 1.0)),
            max(0, int(sampling_params.get("top_k") or 0)),
        )
        digest = hashlib.sha256(repr(list(prompt_ids)).encode())
        for image in image_data or []:
            digest.update(image.tobytes())
        prompt = Prompt(tuple(prompt_ids), max_tokens=limit)
        if image_data and self.processor is not None:
            pixels = self.processor.image_processor(images=image_data, return_tensors="pt")
            prompt = Prompt(tuple(prompt_ids), pixels["pixel_values"], pixels["image_grid_thw"], 1, limit)
        future: asyncio.Future[TokenOutput] = asyncio.get_running_loop().create_future()
        self._queue.append((sampling, prompt, f"{digest.hexdigest()}-{limit}", future))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        await asyncio.sleep(TICK_S)
        while self._queue:
            sampling = self._queue[0][0]
            batch = [r for r in self._queue if r[0] == sampling]
            self._queue = [r for r in self._queue if r[0] != sampling]
            groups: dict[str, list[tuple[Prompt, asyncio.Future[TokenOutput]]]] = {}
            for _, prompt, key, future in batch:
                groups.setdefault(key, []).append((prompt, future))
            prompts = [
                Prompt(g[0][0].ids, g[0][0].pixel_values, g[0][0].image_grid_thw, len(g), g[0][0].max_tokens)
                for g in groups.values()
            ]
            try:
                rollouts, step = await self.generate_batch(prompts, sampling)
            except Exception as e:
                for *_, future in batch:
                    future.set_exception(e)
                continue
            for group, outs in zip(groups.values(), rollouts, strict=True):
                for (_, future), out in zip(group, outs, strict=True):
                    future.set_result(
                        TokenOutput(
                            token_ids=out.token_ids,
                            log_probs=out.log_probs,
                            stop_reason="completed" if out.finished else "length",
                            extra_fields={"global_steps": step},
                        )
                    )


class TransformersReplica(RolloutReplica):  # type: ignore[misc]
    """Starts the server actor."""

    async def launch_servers(self) -> None:
        if isinstance(self.model_config, HFModelConfig):
            model_path = self.model_config.local_path
        else:
            model_path = self.model_config["path"]
        kind = ("reward_" if self.is_reward_model else "") + ("teacher_" if self.is_teacher_model else "")
        server = (
            ray.remote(TransformersServer)
            .options(name=server_name(self.replica_rank, kind), num_cpus=0, max_concurrency=self.max_concurrency)
            .remote(config=self.config, model_path=model_path, replica_rank=self.replica_rank)
        )
        self.servers = [server]
        self._server_handle = server
        start = server.start_endpoint if self.is_reward_model else server.start
        self._server_address = await start.remote()


class TransformersAdapter(BaseRollout):  # type: ignore[misc]
    """The training worker's end: sends full float32 weights through Ray's object store."""

    def __init__(self, config: Any, model_config: Any, device_mesh: Any, replica_rank: int = -1) -> None:
        super().__init__(config, model_config, device_mesh)
        world = config.tensor_model_parallel_size * config.data_parallel_size * config.pipeline_model_parallel_size
        rank = int(os.environ["RANK"])
        self.replica_rank = rank // world if replica_rank == -1 else replica_rank
        self.is_leader = rank % world == 0
        self._server: Any = None

    async def resume(self, tags: list[str]) -> None: ...

    async def release(self) -> None: ...

    @torch.no_grad()  # type: ignore[untyped-decorator]
    async def update_weights(
        self, weights: Any, global_steps: int | None = None, wire_format: str = "named_tensors", **_: Any
    ) -> None:
        if wire_format != "named_tensors":
            raise NotImplementedError(f"transformers_cpu takes whole tensors, not {wire_format}")
        full = {name: value.detach().to("cpu", torch.float32).clone() for name, value in weights}
        if not self.is_leader:
            return  # every rank must walk through `weights`, which gathers shards
        if self._server is None:
            self._server = ray.get_actor(server_name(self.replica_rank))
        await self._server.update_weights.remote(full, global_steps)
