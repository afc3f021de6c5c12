"""A diffusers pipeline: how it is loaded, what it is called with, what its numbers and its errors amount to.

Only safetensors are read, never pickles, and no code that comes with the weights is run.
"""

from __future__ import annotations

import inspect
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scigen.errors import ScigenError
from scigen.records import Status
from scigen.rendering.picture import is_blank

if TYPE_CHECKING:
    import numpy as np

    from scigen.generators.pixel.diffusers_local import DiffusersImages

FIXED = frozenset(
    {
        *("prompt", "negative_prompt", "generator", "num_inference_steps", "width", "height", "output_type"),
        *("num_images_per_prompt", "return_dict", "callback_on_step_end"),
    }
)
"""Arguments of a pipeline that the class sets."""
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""What the allocators of PyTorch say, in small letters, where they raise a plain RuntimeError."""


class Sheet(NamedTuple):
    """A picture, with the PNG exactly when the status is ok."""

    status: Status
    png: bytes | None = None
    width: int | None = None
    height: int | None = None
    fault: str = ""
    note: str | None = None
    """What is to be said of a picture that is ok."""
    seconds: float = 0.0
    """Its share of the time that its batch took."""


def load(settings: DiffusersImages) -> Any:
    """The pipeline on its device. Raises ScigenError without diffusers, without the weights, or without the memory."""
    where = f"generator {settings.name}: model"
    try:
        import torch

        from scigen import torchvision_shim

        torchvision_shim.install()  # transformers' processors import torchvision
        from diffusers import DiffusionPipeline
    except ImportError as e:
        raise ScigenError(f'{where}: needs diffusers ({e}). Install it: pip install "scigen[diffusers]".') from e
    folder = Path(settings.model).expanduser()
    if settings.model.startswith((".", "/", "~")) and not folder.is_dir():
        raise ScigenError(f"{where}: {settings.model} is no folder. Give the folder that holds model_index.json.")
    device = settings.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    offline = settings.local_files_only or folder.is_dir()
    try:
        with without_hub(offline):
            pipe = DiffusionPipeline.from_pretrained(
                str(folder) if folder.is_dir() else settings.model,
                revision=settings.revision,
                variant=settings.variant,
                dtype=getattr(torch, settings.dtype),
                use_safetensors=True,
                local_files_only=offline,
            )
        match settings.offload:
            case "none":
                pipe = pipe.to(device)
            case "model":
                pipe.enable_model_cpu_offload(device=device)
            case "sequential":
                pipe.enable_sequential_cpu_offload(device=device)
    except Exception as e:  # the hub, the file formats and the devices each have errors of their own
        mend = "Set offload=model" if lacks_memory(e) else "Give a folder with model_index.json or a name on the hub"
        raise ScigenError(f"{where}: {settings.model} cannot be loaded. {said(e)} {mend}.") from e
    pipe.set_progress_bar_config(disable=True)
    return pipe


@contextmanager
def without_hub(wanted: bool) -> Iterator[None]:
    """As with HF_HUB_OFFLINE=1, which the client reads only once. Under `local_files_only` alone it calls home."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or wanted
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def arguments(settings: DiffusersImages, pipe: Any) -> dict[str, Any]:
    """What the pipeline is called with beside prompts and seeds. Raises ScigenError for what it does not take."""
    given = {
        "num_inference_steps": settings.steps,
        "width": settings.width,
        "height": settings.height,
        "output_type": "np",
        **settings.parameters,
    }
    takes = inspect.signature(pipe.__call__).parameters
    wanted = {"prompt", "generator", *given, *(["negative_prompt"] if settings.negative_prompt is not None else [])}
    if wrong := sorted(wanted - takes.keys()):
        free = ", ".join(sorted(takes.keys() - FIXED - {"self"}))
        raise ScigenError(
            f"generator {settings.name}: {type(pipe).__name__} takes no {', '.join(wrong)}. Its parameters are: {free}."
        )
    return given


def version(settings: DiffusersImages, pipe: Any) -> str:
    """The model's name, with the commit where it came from the hub."""
    found = re.search(r"/snapshots/([0-9a-f]{40})", str(pipe.config.get("_name_or_path", "")))
    return f"{settings.model}@{found[1]}" if found else settings.model


def cut_off(pipe: Any, given: dict[str, Any], prompt: str) -> str | None:
    """What to say of a prompt that is longer than `max_sequence_length`: pipelines cut it, mostly without a word.

    Not while the pipeline is at work in another thread: a fast tokenizer is not to be shared.
    """
    from transformers import PreTrainedTokenizerBase

    default = inspect.signature(pipe.__call__).parameters.get("max_sequence_length")
    limit = given.get("max_sequence_length", default.default if default else None)
    tokenizer = getattr(pipe, "tokenizer_2", None) or getattr(pipe, "tokenizer", None)
    if not isinstance(limit, int) or not isinstance(tokenizer, PreTrainedTokenizerBase):
        return None
    tokens = len(tokenizer(prompt)["input_ids"])
    return f"the prompt has {tokens} tokens, of which the pipeline sees {limit}" if tokens > limit else None


def developed(pixels: np.ndarray[Any, Any], blocked: bool) -> Sheet:
    """What a picture's numbers amount to: floats from 0 to 1, height x width x colours."""
    import numpy as np
    from PIL.Image import fromarray

    if blocked:
        return Sheet(Status.BLOCKED, fault="the pipeline's own safety filter blackened the picture")
    if not np.isfinite(pixels).all():
        share = 1 - np.isfinite(pixels).mean()
        return Sheet(Status.BAD_IMAGE, fault=f"{share:.0%} of the pixels are no numbers; try another dtype")
    levels = (pixels.clip(0, 1) * 255).round().astype("uint8")
    image = fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels)
    if is_blank(image):
        return Sheet(Status.BLANK, fault="all pixels have one colour")
    out = io.BytesIO()
    image.save(out, "PNG")
    return Sheet(Status.OK, out.getvalue(), image.width, image.height)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that a device or the computer has no memory left."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_MEMORY)


def said(error: BaseException) -> str:
    """An error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def free_memory() -> None:
    """Give back what a failed batch held."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
