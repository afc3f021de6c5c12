"""What verl 0.9.1 has no hook for on a CPU, patched from outside. Each patch says why; all are safe to apply twice."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from scigen.training.policy import patch_embed


def apply() -> None:
    """Apply all patches to this process."""
    process_group_backend()
    port_of_the_process_group()
    unpinned_offload()
    position_ids_packing()
    patch_embed.use_matrix_product()
    shared_pictures()
    log_probs_of_all_rows()
    repeated_bootstraps()


def process_group_backend() -> None:
    """verl asks for "cpu:gloo,<device>:<backend>", which torch refuses when the device is the CPU, too."""
    import verl.utils.distributed as distributed

    original = distributed.initialize_global_process_group_ray
    if getattr(original, "_scigen", False):
        return

    def initialize(timeout_second: int | None = None, backend: str | None = None) -> Any:
        return original(timeout_second=timeout_second, backend=backend or "cpu:gloo")

    initialize._scigen = True  # type: ignore[attr-defined]
    distributed.initialize_global_process_group_ray = initialize


PORTS = (20_000, 32_000)
"""Below the range from which the kernel gives ports to connections (from 32,768 on)."""


def port_of_the_process_group() -> None:
    """verl takes a port that is free now and listens on it seconds later; any connection may have got it by then.

    A port outside the range of connections stays free on a machine that is busy with others.
    """
    import random

    from verl.single_controller.ray.base import RayWorkerGroup

    original = RayWorkerGroup._get_master_addr_port
    if getattr(original, "_scigen", False):
        return

    def from_quiet_ports(self: Any, pg: Any, bundle_index: int = 0, master_port_range: list[int] | None = None) -> Any:
        wanted = master_port_range or [random.SystemRandom().randrange(*PORTS), PORTS[1] + 500]
        return original(self, pg, bundle_index=bundle_index, master_port_range=wanted)

    from_quiet_ports._scigen = True  # type: ignore[attr-defined]
    RayWorkerGroup._get_master_addr_port = from_quiet_ports


def unpinned_offload() -> None:
    """The reference policy's FSDP2 offload pins host memory, which needs an accelerator."""
    import verl.utils.fsdp_utils as fsdp_utils

    original = fsdp_utils.CPUOffloadPolicy
    if getattr(original, "_scigen", False):
        return

    class UnpinnedOffload(original):  # type: ignore[misc, valid-type]
        _scigen = True

        def __init__(self, pin_memory: bool = False) -> None:
            super().__init__(pin_memory=False)

    fsdp_utils.CPUOffloadPolicy = UnpinnedOffload


def position_ids_packing() -> None:
    """Pack M-RoPE positions along the sequence when all sequences of a shard have one length.

    TransferQueue 0.1.11 then packs tensors of shape (4, length) along the 4, and the FSDP engine fails. Long rollouts
    never meet this; short ones do.
    """
    import torch
    from transfer_queue.storage.managers import simple_storage_manager
    from verl.utils.tensordict_utils import nested_tensor_from_tensor_list

    classes: list[Any] = list(vars(simple_storage_manager).values())
    for cls in classes:
        if "_pack_field_values" not in getattr(cls, "__dict__", {}):
            continue
        original = cls._pack_field_values
        if getattr(original, "_scigen", False):
            continue

        def pack(values: Any, _original: Any = original) -> Any:
            one_shape = (
                bool(values)
                and all(isinstance(v, torch.Tensor) and v.dim() == 2 for v in values)
                and len({tuple(v.shape) for v in values}) == 1
            )
            if one_shape:
                return nested_tensor_from_tensor_list(list(values), ragged_idx=2)
            return _original(values)

        pack._scigen = True  # type: ignore[attr-defined]
        cls._pack_field_values = staticmethod(pack)


def shared_pictures() -> None:
    """Encode each distinct picture of a micro-batch once: the 8 rollouts of a problem share theirs.

    Features and gradients are the same sums as before. The picture tower was half of an update.
    """
    import torch
    from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLVisionModel

    original = Qwen3VLVisionModel.forward
    if getattr(original, "_scigen", False):
        return

    def forward(self: Any, hidden_states: torch.Tensor, grid_thw: torch.Tensor, **kwargs: Any) -> Any:
        n = len(grid_thw)
        if n < 2 or not bool((grid_thw == grid_thw[0]).all()):
            return original(self, hidden_states, grid_thw, **kwargs)
        pictures = hidden_states.reshape(n, -1)
        distinct, index = distinct_rows(pictures)
        if len(distinct) == n:
            return original(self, hidden_states, grid_thw, **kwargs)
        out = original(
            self, pictures[distinct].reshape(-1, hidden_states.shape[-1]), grid_thw[: len(distinct)], **kwargs
        )

        def repeat(features: torch.Tensor) -> torch.Tensor:
            return features.reshape(len(distinct), -1, features.shape[-1])[index].flatten(0, 1)

        out.last_hidden_state = repeat(out.last_hidden_state)
        out.pooler_output = repeat(out.pooler_output)
        out.deepstack_features = [repeat(f) for f in out.deepstack_features]
        return out

    forward._scigen = True  # type: ignore[attr-defined]
    Qwen3VLVisionModel.forward = forward


def distinct_rows(rows: Any) -> tuple[Any, Any]:
    """Indices of the first of each group of equal rows, and for each row the number of its group."""
    import torch

    first: dict[bytes, int] = {}
    starts: list[int] = []
    index: list[int] = []
    sketch = rows.detach()[:, ::16].contiguous().numpy()  # a picture of another problem differs all over
    for i, row in enumerate(sketch):
        group = first.setdefault(row.tobytes(), len(first))
        if group == len(starts):
            starts.append(i)
        index.append(group)
    groups = torch.tensor(index)
    if not torch.equal(rows, rows[starts][groups]):
        everything = torch.arange(len(rows))
        return everything, everything
    return torch.tensor(starts), groups


def log_probs_of_all_rows() -> None:
    """verl takes the log-sum-exp of one row at a time to spare GPU memory: 18,000 small operations a step here."""
    import torch
    import verl.utils.torch_functional as torch_functional

    def logprobs_from_logits_v2(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        picked = torch.gather(logits, -1, labels.unsqueeze(-1)).squeeze(-1)
        return picked - torch.logsumexp(logits, -1)

    torch_functional.logprobs_from_logits_v2 = logprobs_from_logits_v2


def repeated_bootstraps() -> None:
    """verl draws 1,000 bootstrap samples for every problem and metric: 10 s a validation of 128 problems.

    Its seed is fixed, so problems with equal scores have equal results; compute each once.
    """
    import verl.trainer.ppo.metric_utils as metric_utils

    original = metric_utils.bootstrap_metric
    if getattr(original, "_scigen", False):
        return

    @lru_cache(maxsize=4096)
    def numbers(data: tuple[float, ...], subset_size: int, reduce_fns: tuple[Any, ...], n: int, seed: int) -> Any:
        return original(data=list(data), subset_size=subset_size, reduce_fns=list(reduce_fns), n_bootstrap=n, seed=seed)

    def bootstrap_metric(
        data: list[Any], subset_size: int, reduce_fns: list[Any], n_bootstrap: int = 1000, seed: int = 42
    ) -> Any:
        if all(isinstance(x, (int, float)) for x in data):
            return list(numbers(tuple(map(float, data)), subset_size, tuple(reduce_fns), n_bootstrap, seed))
        return original(data, subset_size, reduce_fns, n_bootstrap, seed)

    bootstrap_metric._scigen = True  # type: ignore[attr-defined]
    metric_utils.bootstrap_metric = bootstrap_metric
