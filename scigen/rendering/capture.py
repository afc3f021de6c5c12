"""Takes the pictures that a script saves or shows, by standing in for savefig, show and what opens windows.

Each figure is kept once, as it was last saved (as PNG, with the script's own arguments), else as it was shown, on its
own canvas at its own dpi. Nothing is cropped unless the script's savefig asked for it. An animation is its first frame.
A blocking show closes the figures, as closing the windows would, so that what is plotted next starts anew.
"""

from __future__ import annotations

import io
import os
import time
from dataclasses import dataclass, field
from typing import Any

from scigen.rendering import font_cache, introspection, png

MAX_PICTURES = 16


class PictureTooLarge(ValueError):
    """The figure has more pixels than the limits allow."""


@dataclass
class Picture:
    """One figure as it was last taken."""

    png: bytes
    drawing: dict[str, Any]
    saved: bool
    """By the script's savefig, which a later show does not replace."""


@dataclass
class Capture:
    """The pictures so far, by figure, the last one taken last."""

    max_pixels: int
    pictures: dict[int, Picture] = field(default_factory=dict)
    draw_s: float = 0.0
    """Seconds spent in drawing and encoding."""
    taking: bool = False
    figures: list[Any] = field(default_factory=list)  # held, so that ids stay apart
    animations: list[Any] = field(default_factory=list)

    def install(self) -> None:
        """Replace the functions; in the child, before the script runs."""
        import matplotlib as mpl
        import matplotlib.pyplot as plt
        from matplotlib.animation import Animation
        from matplotlib.backend_bases import FigureCanvasBase
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.texmanager import TexManager

        self._savefig, print_figure = Figure.savefig, FigureCanvasBase.print_figure
        print_pil = FigureCanvasAgg._print_pil
        start_animation = Animation.__init__
        capture = self

        def savefig(figure: Any, fname: Any, *, format: str | None = None, **kwargs: Any) -> None:
            for name in ("metadata", "pil_kwargs", "backend"):
                kwargs.pop(name, None)
            picture = capture.take(figure, True, **kwargs)
            if hasattr(fname, "write"):
                if (format or "png").lower() == "png":
                    fname.write(picture)
                else:
                    with font_cache.plain_fonts():
                        capture._save(figure, fname, format=format, **kwargs)
                return
            try:  # for scripts that read their file again; where a path is out of bounds the picture counts
                with open(os.fspath(fname), "wb") as f:
                    f.write(picture)
            except OSError:
                pass

        def print_canvas(canvas: Any, filename: Any, *args: Any, **kwargs: Any) -> Any:
            if capture.taking:  # savefig is made of it
                return print_figure(canvas, filename, *args, **kwargs)
            return savefig(canvas.figure, filename, **kwargs)

        def show_figure(figure: Any, *args: Any, **kwargs: Any) -> None:
            capture.show([figure])

        def show(*args: Any, block: bool | None = None, **kwargs: Any) -> None:
            capture.show([plt.figure(n) for n in plt.get_fignums()])
            if block or (block is None and not mpl.is_interactive()):
                plt.close("all")

        def pause(interval: float) -> None:
            show(block=False)

        def animate(animation: Any, fig: Any, *args: Any, **kwargs: Any) -> None:
            start_animation(animation, fig, *args, **kwargs)
            capture.animations.append(animation)

        def save_animation(animation: Any, filename: Any, *args: Any, **kwargs: Any) -> None:
            capture.take(animation._fig, True)

        for owner, name, value in (
            *((Figure, "savefig", savefig), (Figure, "show", show_figure)),
            (FigureCanvasAgg, "_print_pil", lambda *args, **kwargs: _print_png(print_pil, *args, **kwargs)),
            *((FigureCanvasBase, "print_figure", print_canvas), (TexManager, "__new__", _no_tex)),
            *((plt, "show", show), (plt, "pause", pause)),
            *((plt, "switch_backend", lambda name: None), (mpl, "use", lambda backend, *, force=True: None)),
            *((Animation, "__init__", animate), (Animation, "save", save_animation)),
            *((Animation, "to_jshtml", lambda a, *_, **__: ""), (Animation, "to_html5_video", lambda a, *_, **__: "")),
        ):
            setattr(owner, name, value)

    def show(self, figures: list[Any]) -> None:
        """Take those of the figures that were not saved."""
        for figure in figures:
            taken = self.pictures.get(id(figure))
            if taken is None or not taken.saved:
                self.take(figure, False, dpi="figure", facecolor="auto", edgecolor="auto", bbox_inches=None)

    def take(self, figure: Any, saved: bool, **kwargs: Any) -> bytes:
        """Draw the figure and keep the picture. Raises PictureTooLarge, and whatever drawing raises."""
        import matplotlib as mpl

        if figure.figure is not None:
            figure = figure.get_figure(root=True)
        self._first_frames(figure)
        dpi = kwargs.get("dpi", mpl.rcParams["savefig.dpi"])
        dpi = figure.dpi if dpi in ("figure", None) else float(dpi)
        width, height = figure.get_size_inches() * dpi
        if width * height > self.max_pixels:
            raise PictureTooLarge(f"{width:.0f} x {height:.0f} px; at most {self.max_pixels} px are allowed")
        start = time.perf_counter()
        buffer = io.BytesIO()
        self._save(figure, buffer, **{**kwargs, "format": "png"})
        picture = buffer.getvalue()
        self.draw_s += time.perf_counter() - start
        empty = len(figure.get_children()) == 1  # its background: a plt.savefig after plt.show has closed the figure
        if not (empty and self.pictures):
            self.pictures.pop(id(figure), None)
            self.figures.append(figure)
            self.pictures[id(figure)] = Picture(picture, introspection.drawn(), saved)
            while len(self.pictures) > MAX_PICTURES:
                del self.pictures[next(iter(self.pictures))]
        return picture

    def _save(self, figure: Any, file: Any, **kwargs: Any) -> None:
        """Matplotlib's own savefig."""
        self.taking = True
        try:
            self._savefig(figure, file, **kwargs)
        finally:
            self.taking = False

    def _first_frames(self, figure: Any) -> None:
        """Draw the first frame of the figure's animations, as a window would."""
        from matplotlib.animation import ArtistAnimation

        for animation in [a for a in self.animations if a._fig is figure]:
            self.animations.remove(animation)
            animation._draw_was_started = True  # no warning that nobody looked at it
            animation._init_draw()
            if isinstance(animation, ArtistAnimation) or getattr(animation, "_init_func", None) is not None:
                frame = next(animation.new_frame_seq(), None)
                if frame is not None:
                    animation._draw_frame(frame)


def _print_png(original: Any, canvas: Any, file: Any, fmt: str, *args: Any, **kwargs: Any) -> None:
    """In the place of `FigureCanvasAgg._print_pil`."""
    if fmt != "png":
        original(canvas, file, fmt, *args, **kwargs)
        return
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cbook import open_file_cm

    FigureCanvasAgg.draw(canvas)
    with open_file_cm(file, "wb") as f:
        f.write(png.encode(np.asarray(canvas.buffer_rgba()), canvas.figure.dpi))


def _no_tex(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("text.usetex: there is no LaTeX in here; leave it off and write formulas as mathtext, $...$")
