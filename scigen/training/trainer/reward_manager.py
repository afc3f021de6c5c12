"""verl's naive reward manager plus what the validation dump needs to be analysed: who, from where, and whether cut off.

Set by `reward.reward_manager.{source: importlib, name: RecordingRewardManager, module.path}`; works with any reward
function, on CPUs and GPUs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager


class RecordingRewardManager(NaiveRewardManager):  # type: ignore[misc]
    """Adds `problem_id`, `data_source` and `truncated` (1 when the response does not end with an end token).

    The reward function finds `truncated` in its `extra_info`, too, so that it need not pay for a response that was cut.
    """

    async def run_single(self, data: Any) -> dict[str, Any]:
        item = data[-1]
        responses = item.batch["responses"]
        size = int(item.batch["attention_mask"][-responses.shape[-1] :].sum())
        ended = size > 0 and int(responses[size - 1]) in self._end_tokens()
        # a copy: rollouts of one problem may share the dict, and are scored at the same time
        extra = dict(item.non_tensor_batch.get("extra_info") or {}) | {"truncated": not ended}
        told = np.empty(1, dtype=object)
        told[0] = extra
        alone = data[-1:]
        alone.non_tensor_batch["extra_info"] = told
        result: dict[str, Any] = await super().run_single(alone)
        result["reward_extra_info"] |= {
            "problem_id": str(extra.get("problem_id", "")),
            "data_source": str(item.non_tensor_batch["data_source"]),
            "truncated": float(not ended),
        }
        return result

    def _end_tokens(self) -> set[int]:
        # Qwen ends a turn with <|im_end|> and a document with <|endoftext|>; either is an end.
        return {i for i in (self.tokenizer.eos_token_id, self.tokenizer.pad_token_id) if i is not None}
