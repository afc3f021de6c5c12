"""`generator=?`: every option of conf/generator as a table, composed and built, nothing called."""

from __future__ import annotations

from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from scigen.app.cli import CONF
from scigen.app.settings import build
from scigen.generators import Generator


def options() -> list[str]:
    """Names of the files of conf/generator."""
    return sorted(path.stem for path in (CONF / "generator").glob("*.yaml"))


def composed(option: str) -> Generator:
    """The generator that an option describes, with the defaults of conf/generate.yaml around it."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("generate", [f"generator={option}"])
    node: Any = OmegaConf.to_container(config, resolve=True)
    made: Generator = build(node["generator"], "generator")
    return made


def show() -> None:
    """Print the table, the best published R_inv first."""
    rows = [(option, composed(option)) for option in options()]
    rows.sort(key=lambda row: (-(row[1].about.r_inv or 0), row[0]))
    table = Table(title="generators: python scripts/generate.py generator=NAME", title_justify="left")
    for column in ("name", "vendor", "paradigm", "an image", "R_inv %"):
        table.add_column(column, justify="right" if column[0] in "aR" else "left", no_wrap=column != "vendor")
    table.caption = "R_inv: as the paper publishes it; prices: list prices, see the configs"
    for option, generator in rows:
        about = generator.about
        r_inv = f"{about.r_inv:.2f}" if about.r_inv is not None else ""
        table.add_row(option, about.vendor, about.paradigm, generator.price(), r_inv)
    Console().print(table)
