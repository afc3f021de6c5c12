"""A single-turn agent loop that works on whole batches, set by `rollout.agent.agent_loop_manager_class`.

verl's own loop handles each rollout by itself: it instantiates a loop, runs the processor twice and stores one row, for
each of 512 rollouts a step. That suits minutes-long rollouts on GPUs; here it was 90 % of a step. This one runs the
processor once a problem, asks the CPU rollout for all samples at once, scores equal answers once, and stores
the batch in one call. It does no tools, no turns, no teacher, and needs `rollout.name=transformers_cpu`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
import torch
import transfer_queue as tq
from tensordict import NonTensorData, NonTensorStack, TensorDict
from verl import DataProto
from verl.experimental.agent_loop import AgentLoopManager, AgentLoopOutput, AgentLoopWorker
from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopManagerTQ
from verl.utils.tensordict_utils import list_of_dict_to_tensordict
from verl.utils.tokenizer.continuous_token_wiring import create_continuous_token_builder

from scigen.training.trainer.rollout import server_name
from scigen.training.trainer.sampling import Prompt, Rollout, Sampling

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoded:
    """A problem after the processor."""

    ids: list[int]
    pictures: dict[str, torch.Tensor]
    positions: torch.Tensor
    """(4, len(ids)): text positions, then the three axes of M-RoPE."""


class BatchAgentLoopWorker(AgentLoopWorker):  # type: ignore[misc]
    """Fills TransferQueue with finished rollouts in verl's format."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tq.init()
        self.builder = create_continuous_token_builder(
            self.tokenizer,
            hf_model_type=self.hf_model_type,
            chat_template_kwargs=self.config.data.get("apply_chat_template_kwargs", {}),
            mm_processor_kwargs=self.mm_processor_kwargs,
            processor=self.processor,
        )
        self.servers = [ray.get_actor(server_name(0))]
        self.tasks: set[asyncio.Task[None]] = set()

    async def generate_sequences(self, batch: TensorDict) -> None:
        """Start the work on a batch and return; verl's replay buffer waits for its rows."""
        task = asyncio.create_task(self._run(batch))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run(self, batch: TensorDict) -> None:
        rows = _rows(batch)
        validate = bool(rows[0].pop("validate", False))
        for row in rows[1:]:
            row.pop("validate", None)
        partition = "val" if validate else "train"
        uids = [row["uid"] for row in rows]
        try:
            await self._produce(rows, validate, partition)
            status = "finished"
        except Exception:
            logger.exception("the batched agent loop failed")
            status = "failure"
        await tq.async_kv_batch_put(keys=uids, partition_id=partition, tags=[{"status": status} for _ in uids])

    async def _produce(self, rows: list[dict[str, Any]], validate: bool, partition: str) -> None:
        config = self.rollout_config
        source = config.val_kwargs if validate else config
        n = int(source.n)
        sampling = Sampling(float(source.temperature), float(source.top_p), max(0, int(source.top_k)))
        began = time.perf_counter()
        encoded = [await self._encode(row) for row in rows]
        prompts = [
            Prompt(
                tuple(e.ids),
                e.pictures.get("pixel_values"),
                e.pictures.get("image_grid_thw"),
                n,
                config.response_length,
            )
            for e in encoded
        ]
        sampled_at = time.perf_counter()
        rollouts, step = await self.servers[0].generate_batch.remote(prompts, sampling)
        scored_at = time.perf_counter()
        outputs = [
            [self._output(e, r, step, scored_at - sampled_at) for r in group]
            for e, group in zip(encoded, rollouts, strict=True)
        ]
        await self._score(rows, encoded, outputs)
        stored_at = time.perf_counter()
        await self._store(rows, encoded, outputs, partition)
        logger.info(
            "%s: encode %.2f s, sample %.2f s, score %.2f s, store %.2f s",
            partition,
            sampled_at - began,
            scored_at - sampled_at,
            stored_at - scored_at,
            time.perf_counter() - stored_at,
        )

    async def _encode(self, row: dict[str, Any]) -> Encoded:
        messages = list(row["raw_prompt"])
        patch = getattr(getattr(self.processor, "image_processor", None), "patch_size", 14)
        images, videos, audios = await self.dataset_cls.process_multi_modal_info(
            messages, image_patch_size=patch, config=self.config.data
        )
        if videos or audios:
            raise NotImplementedError("the batched agent loop takes text and images only")
        features: dict[str, Any] = {}
        ids = self.builder.build_initial_tokens(messages, images=images, mm_inputs_out=features)
        if len(ids) > self.rollout_config.prompt_length:
            raise ValueError(
                f"a prompt has {len(ids)} tokens, more than data.max_prompt_length={self.rollout_config.prompt_length}"
            )
        pictures = {k: torch.as_tensor(v) for k, v in features.items() if k in ("pixel_values", "image_grid_thw")}
        input_ids = torch.tensor([ids])
        positions = self._compute_position_ids(
            input_ids, torch.ones_like(input_ids), {**pictures, "mm_token_type_ids": True}
        )[0]
        if "image_grid_thw" in pictures:
            grid = pictures["image_grid_thw"]
            pictures["images_seqlens"] = torch.repeat_interleave(grid[:, 1] * grid[:, 2], grid[:, 0])
        return Encoded(list(ids), pictures, positions)

    def _output(self, e: Encoded, rollout: Rollout, step: int | None, seconds: float) -> AgentLoopOutput:
        return AgentLoopOutput(
            prompt_ids=e.ids,
            response_ids=rollout.token_ids,
            response_mask=[1] * len(rollout.token_ids),
            response_logprobs=rollout.log_probs,
            num_turns=2,
            metrics={"generate_sequences": seconds},
            extra_fields={
                "global_steps": step,
                "min_global_steps": step,
                "max_global_steps": step,
                "turn_scores": [],
                "tool_rewards": [],
            },
        )

    async def _score(
        self, rows: list[dict[str, Any]], encoded: list[Encoded], outputs: list[list[AgentLoopOutput]]
    ) -> None:
        """Score each distinct answer of a problem once: the same words deserve the same reward."""
        distinct: dict[tuple[int, tuple[int, ...]], list[AgentLoopOutput]] = {}
        for i, group in enumerate(outputs):
            for output in group:
                distinct.setdefault((i, tuple(output.response_ids)), []).append(output)
        width = max(len(ids) for _, ids in distinct)
        responses = torch.zeros(len(distinct), width, dtype=torch.long)
        mask = torch.zeros(len(distinct), 1 + width, dtype=torch.long)
        mask[:, 0] = 1  # a prompt of one token stands for the whole prompt, which no score reads
        for k, (_, ids) in enumerate(distinct):
            responses[k, : len(ids)] = torch.tensor(ids)
            mask[k, 1 : 1 + len(ids)] = 1
        which = [i for i, _ in distinct]
        data = DataProto(
            batch=TensorDict(
                {"prompts": mask[:, :1], "responses": responses, "attention_mask": mask}, batch_size=len(distinct)
            ),
            non_tensor_batch={
                "data_source": _objects([rows[i]["data_source"] for i in which]),
                "reward_model": _objects([rows[i]["reward_model"] for i in which]),
                "extra_info": _objects([dict(rows[i].get("extra_info") or {}) for i in which]),
            },
        )
        began = time.perf_counter()
        results = await self.reward_loop_worker_handles[0].compute_score_batch.remote(data)
        seconds = time.perf_counter() - began
        for same, result in zip(distinct.values(), results, strict=True):
            for output in same:
                output.reward_score = result["reward_score"]
                output.extra_fields["reward_extra_info"] = result["reward_extra_info"]
                output.metrics.compute_score = seconds

    async def _store(
        self, rows: list[dict[str, Any]], encoded: list[Encoded], outputs: list[list[AgentLoopOutput]], partition: str
    ) -> None:
        keys, fields, tags = [], [], []
        for row, e, group in zip(rows, encoded, outputs, strict=True):
            kept = {k: v for k, v in row.items() if k not in ("raw_prompt", "agent_name")}  # pictures stay out
            for session, output in enumerate(group):
                field = output.as_dict() | kept | {"session_id": session}
                size = len(output.response_ids)
                field["loss_mask"] = field["response_mask"]
                field["input_ids"] = torch.cat([field["prompts"], field["responses"]])
                tail = e.positions[:, -1:] + torch.arange(1, size + 1)
                field["position_ids"] = torch.cat([e.positions, tail], 1)
                field["multi_modal_inputs"] = e.pictures
                keys.append(f"{row['uid']}_{session}_0")
                fields.append(field)
                tags.append(
                    {
                        "status": "success",
                        "prompt_len": len(e.ids),
                        "response_len": size,
                        "seq_len": len(e.ids) + size,
                        "global_steps": row["global_steps"],
                        "min_global_steps": output.extra_fields["min_global_steps"],
                        "max_global_steps": output.extra_fields["max_global_steps"],
                    }
                )
        await tq.async_kv_batch_put(
            keys=keys, fields=list_of_dict_to_tensordict(fields), tags=tags, partition_id=partition
        )


class BatchAgentLoopManager(AgentLoopManagerTQ):  # type: ignore[misc]
    """verl's manager with the batched worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.agent_loop_workers_class = ray.remote(BatchAgentLoopWorker)
        AgentLoopManager.__init__(self, *args, **kwargs)


def _objects(values: list[Any]) -> np.ndarray[Any, np.dtype[np.object_]]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _rows(batch: TensorDict) -> list[dict[str, Any]]:
    """verl's batch, one dict a prompt."""
    rows: list[dict[str, Any]] = [{} for _ in range(len(batch))]
    for key, value in batch.items():
        for i, row in enumerate(rows):
            if isinstance(value, NonTensorStack):
                row[key] = value[i].data
            elif isinstance(value, NonTensorData):
                row[key] = value.data
            else:
                row[key] = value[i]
    return rows
