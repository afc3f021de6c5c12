"""verl's platform interface for a machine without an accelerator, chosen by VERL_PLATFORM=cpu.

verl asks its platform for what `torch.cuda` offers; `torch.cpu` lacks some of those functions, so they are added to
it here: memory figures become the process's resident memory, the rest does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch


def _rss(*_: Any, **__: Any) -> int:
    return int(psutil.Process().memory_info().rss)


def _nothing(*_: Any, **__: Any) -> None:
    return None


_ADDED_TO_TORCH_CPU: dict[str, Callable[..., Any]] = {
    "empty_cache": _nothing,
    "ipc_collect": _nothing,
    "reset_peak_memory_stats": _nothing,
    "memory_allocated": _rss,
    "memory_reserved": _rss,
    "max_memory_allocated": _rss,
    "max_memory_reserved": _rss,
    "mem_get_info": lambda *_: (psutil.virtual_memory().available, psutil.virtual_memory().total),
    "manual_seed": torch.manual_seed,
    "manual_seed_all": torch.manual_seed,
    "get_rng_state": torch.get_rng_state,
    "set_rng_state": torch.set_rng_state,
    "get_device_name": lambda *_: "CPU",
}


def register() -> None:
    """Add the `cpu` platform to verl's registry."""
    from verl.plugin.platform import PlatformBase, PlatformRegistry

    for name, function in _ADDED_TO_TORCH_CPU.items():
        if not hasattr(torch.cpu, name):
            setattr(torch.cpu, name, function)

    @PlatformRegistry.register(platform="cpu")
    class PlatformCPU(PlatformBase):  # type: ignore[misc]
        device_name = "cpu"
        vendor_name = "cpu"
        device_module = torch.cpu

        def is_available(self) -> bool:
            return True

        def is_platform_available(self, use_smi_check: bool = False) -> bool:
            return not torch.cuda.is_available()

        def current_device(self) -> str:
            return "cpu"

        def device_count(self) -> int:
            return 1

        def set_device(self, device_index: int) -> None: ...

        def synchronize(self, device_index: int | None = None) -> None: ...

        def manual_seed(self, seed: int) -> None:
            torch.manual_seed(seed)

        manual_seed_all = manual_seed

        def set_allocator_settings(self, settings: str) -> None: ...

        def empty_cache(self) -> None: ...

        def get_device_capability(self, device_index: int = 0) -> tuple[None, None]:
            return None, None

        def communication_backend_name(self) -> str:
            return "gloo"

        def visible_devices_envvar(self) -> str:
            return "CUDA_VISIBLE_DEVICES"

        @contextmanager
        def nvtx_range(self, msg: str) -> Iterator[None]:
            yield

        def profiler_start(self) -> None: ...

        def profiler_stop(self) -> None: ...

        def ray_resource_name(self) -> str:
            # Ray hands out "GPU" slots by count; a CPU run declares as many as it has ranks.
            return "GPU"

        def ray_noset_envvars(self) -> list[str]:
            return ["RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"]

        def is_ipc_supported(self) -> bool:
            return False

        def cudart(self) -> None:
            return None
