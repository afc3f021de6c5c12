"""A tiny Qwen3-VL made offline: the classes of Qwen3-VL with small sizes, random weights and a tokenizer of its own.

It writes a folder that `AutoProcessor` and `AutoModelForImageTextToText` load and that verl trains. It does not train:
`warm_start` does the short supervised stage, verl the rest.

A response is four tokens: `\\boxed{`, the answer's word, `}`, `<|im_end|>`. So the tokenizer is learnt on the questions
and answers (every word of them is one token; anything else is spelt in bytes).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scigen.errors import ScigenError
from scigen.store import replacing

BOX = r"\boxed{"
PAD, END = "<|endoftext|>", "<|im_end|>"
VISION = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
SPECIAL = (PAD, "<|im_start|>", END, *VISION)

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen's tokenizers split text before the merges."""

CHAT_TEMPLATE = (
    "{%- for m in messages %}{{- '<|im_start|>' + m.role + '\n' }}"
    "{%- if m.content is string %}{{- m.content }}"
    "{%- else %}{%- for c in m.content %}"
    "{%- if c.type == 'image' or 'image' in c or 'image_url' in c %}"
    "{{- '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- elif c.type == 'video' or 'video' in c %}{{- '<|vision_start|><|video_pad|><|vision_end|>' }}"
    "{%- elif 'text' in c %}{{- c.text }}{%- endif %}{%- endfor %}{%- endif %}"
    "{{- '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)


@dataclass(frozen=True)
class TinySize:
    """Sizes of the tiny policy. `image_px` must be a multiple of patch x merge (32)."""

    hidden: int = 128
    layers: int = 2
    heads: int = 4
    feed_forward: int = 256
    vision_hidden: int = 64
    vision_layers: int = 2
    vision_heads: int = 4
    vision_feed_forward: int = 192
    deepstack: tuple[int, ...] = (0,)
    image_px: int = 96
    patch: int = 16
    merge: int = 2
    image_mean: float = 0.95
    """White paper becomes about zero, so a drawing's strokes stand out."""
    image_std: float = 0.2
    rope_theta: float = 100.0
    initializer_range: float = 0.06
    position_std: float = 1.0
    """Of the vision tower's position embeddings at the start. At `initializer_range` a patch of dark strokes drowns
    them, and where a thing is drawn is learnt many times more slowly."""
    patch_std: float = 0.015
    """Of the patch embedding's weights at the start."""


def build(folder: Path, texts: Sequence[str], answers: Sequence[str], seed: int, size: TinySize | None = None) -> None:
    """Write model, tokenizer, processor and generation config to `folder` (replacing it), with random weights.

    `texts` are the prompts' texts, `answers` the words that a response may box; each must be one token, so a word of
    letters or one digit. The same arguments give the same files.

    Raises ScigenError for an answer that is not one token or an image size that patch and merge do not divide.
    """
    size = size or TinySize()
    if size.image_px % (size.patch * size.merge):
        raise ScigenError(
            f"policy.size.image_px: {size.image_px} is not a multiple of patch x merge = {size.patch * size.merge}. "
            f"Use 96 or 128."
        )
    from scigen import torchvision_shim

    torchvision_shim.install()
    tok = tokenizer(texts, answers)
    with replacing(folder) as part:
        processor(tok, size).save_pretrained(part)
        tok.save_pretrained(part)
        model(tok, size, seed).save_pretrained(part)


def tokenizer(texts: Sequence[str], answers: Sequence[str]) -> Any:
    """Byte-level BPE in which every word of `texts` and every answer is one token, as a Qwen2 tokenizer."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2TokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    corpus = ["user\n", "assistant\n", *sorted(set(texts)), *sorted(set(answers))]
    trainer = trainers.BpeTrainer(
        vocab_size=32_000,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=1,
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    learnt = json.loads(bpe.to_str())["model"]
    tok = Qwen2TokenizerFast(
        vocab=learnt["vocab"],
        merges=[tuple(m) if not isinstance(m, str) else tuple(m.split(" ")) for m in learnt["merges"]],
        unk_token=None,
        bos_token=None,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(SPECIAL),
        model_max_length=4096,
    )
    tok.add_tokens([BOX])
    tok.chat_template = CHAT_TEMPLATE
    for answer in answers:
        if len(tok(response(answer))["input_ids"]) != 4:
            raise ScigenError(
                f"answer {answer!r} is not one token. "
                f"Answers of the tiny policy are single words of letters or one digit."
            )
    return tok


def response(answer: str) -> str:
    """The whole response that earns the reward."""
    return f"{BOX}{answer}}}{END}"


def processor(tok: Any, size: TinySize) -> Any:
    """Qwen3-VL's processor for images of at most `image_px` a side."""
    from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor

    patches = {"patch_size": size.patch, "temporal_patch_size": 2, "merge_size": size.merge}
    images = Qwen2VLImageProcessor(
        **patches,
        size={"shortest_edge": (size.patch * size.merge) ** 2, "longest_edge": size.image_px**2},
        image_mean=[size.image_mean] * 3,
        image_std=[size.image_std] * 3,
    )
    videos = Qwen3VLVideoProcessor(**patches)
    return Qwen3VLProcessor(image_processor=images, tokenizer=tok, video_processor=videos, chat_template=CHAT_TEMPLATE)


def model(tok: Any, size: TinySize, seed: int) -> Any:
    """The network with random float32 weights from `seed`."""
    import torch
    from transformers import GenerationConfig, Qwen3VLConfig, Qwen3VLForConditionalGeneration

    ids = {t: tok.convert_tokens_to_ids(t) for t in SPECIAL}
    head = size.hidden // size.heads
    axis = head // 6
    text = {
        "vocab_size": len(tok),
        "hidden_size": size.hidden,
        "intermediate_size": size.feed_forward,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "num_key_value_heads": max(1, size.heads // 2),
        "head_dim": head,
        "max_position_embeddings": 4096,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": size.rope_theta,
            "mrope_section": [head // 2 - 2 * axis, axis, axis],
            "mrope_interleaved": True,
        },
        "initializer_range": size.initializer_range,
        "tie_word_embeddings": True,
        "pad_token_id": ids[PAD],
        "bos_token_id": ids[PAD],
        "eos_token_id": ids[END],
    }
    vision = {
        "depth": size.vision_layers,
        "hidden_size": size.vision_hidden,
        "intermediate_size": size.vision_feed_forward,
        "num_heads": size.vision_heads,
        "patch_size": size.patch,
        "temporal_patch_size": 2,
        "spatial_merge_size": size.merge,
        "out_hidden_size": size.hidden,
        "num_position_embeddings": (size.image_px // size.patch) ** 2,
        "deepstack_visual_indexes": list(size.deepstack),
        "initializer_range": size.initializer_range,
    }
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Qwen3VLForConditionalGeneration(config).float()
        with torch.no_grad():
            net.model.visual.pos_embed.weight.normal_(0.0, size.position_std)
            net.model.visual.patch_embed.proj.weight.normal_(0.0, size.patch_std)
    net.generation_config = GenerationConfig(
        pad_token_id=ids[PAD],
        eos_token_id=[ids[END]],
        do_sample=True,
        # verl cannot give positions to a vision placeholder in a response, and a random policy samples them.
        suppress_tokens=[ids[t] for t in VISION],
    )
    return net
