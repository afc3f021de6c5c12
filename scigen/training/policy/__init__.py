"""The tiny policy: a small Qwen3-VL made offline, and its supervised warm start."""
