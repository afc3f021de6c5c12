"""ImgCoder: a model understands the problem, plans the figure, writes a script; the sandbox draws it."""

from scigen.generators.imgcoder.generator import ImgCoder

__all__ = ["ImgCoder"]
