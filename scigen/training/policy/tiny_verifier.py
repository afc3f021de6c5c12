"""A tiny generative verifier made offline: a text-only Qwen3 of random weights, the class of Compass-Verifier's base.

It is there so that verl's reward model server runs in the loop on a laptop. It has learnt nothing, so its replies are
no verdicts and earn nothing; what a run with it learns from is the rule, which pays before the verifier is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scigen.store import replacing
from scigen.training.policy import tiny
from scigen.training.verifier.prompt import PROMPT

HIDDEN, LAYERS, HEADS = 32, 2, 4
LONGEST = 4096


def build(folder: Path, texts: Sequence[str], seed: int) -> None:
    """Write model, tokenizer and generation config to `folder`, replacing it. Same arguments, same files.

    `texts` are questions and answers; their words and the prompt's are one token each, so that a prompt has some 500.
    """
    from scigen import torchvision_shim

    torchvision_shim.install()
    import torch
    from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

    tok = tiny.tokenizer([PROMPT, *texts], [])
    ids = {token: tok.convert_tokens_to_ids(token) for token in tiny.SPECIAL}
    config = Qwen3Config(
        vocab_size=len(tok),
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS // 2,
        head_dim=HIDDEN // HEADS,
        max_position_embeddings=LONGEST,
        tie_word_embeddings=False,  # tied random weights would repeat the last token
        initializer_range=0.3,
        pad_token_id=ids[tiny.PAD],
        bos_token_id=ids[tiny.PAD],
        eos_token_id=ids[tiny.END],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Qwen3ForCausalLM(config).float()
    net.generation_config = GenerationConfig(pad_token_id=ids[tiny.PAD], eos_token_id=[ids[tiny.END]])
    with replacing(folder) as part:
        tok.save_pretrained(part)
        net.save_pretrained(part)
