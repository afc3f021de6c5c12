"""The edge of the package: argv -> Hydra -> plain settings -> job, and errors that a person can act on.

Nothing below this module sees a DictConfig, and nothing heavy is imported here: `--help` must answer in a second.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from scigen.errors import ScigenError, nearest

CONF = Path(__file__).resolve().parents[2] / "conf"


def main(config_name: str, job: str) -> None:
    """Run `job` ("module:function", called with the composed config as a plain dict) under conf/<config_name>.yaml.

    Exits with 2 after a user's error, which is printed without a traceback.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us instead of being printed by Hydra
    sys.argv[1:] = [open_verl_key(a) for a in sys.argv[1:]]

    def run(cfg: DictConfig) -> None:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            _give_own_folder(cfg)
        module, function = job.split(":")
        with _explained(config_name):  # here too: Hydra would print its own lines first
            getattr(import_module(module), function)(OmegaConf.to_container(cfg, resolve=True))

    with _explained(config_name):
        hydra.main(config_path=str(CONF), config_name=config_name, version_base="1.3")(run)()


@contextmanager
def _explained(config_name: str) -> Iterator[None]:
    """Ends the process with one message for what the user can mend; anything else keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("\nstopped. Run the same command to go on from here.")
    except Exception as e:
        message = explain(e, config_name)
        if message is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        sys.exit(2)


def open_verl_key(argument: str) -> str:
    """`verl.a.b=1` -> `++verl.a.b=1`: our `verl` node holds only what differs from verl's defaults, so any of verl's
    keys may be new to it. They are checked later, against the installed verl."""
    return f"++{argument}" if re.match(r"verl\.[\w.]+=", argument) else argument


def explain(error: Exception, config_name: str) -> str | None:
    """What to tell the user, or None if it is not the user's doing."""
    chain = list(_chain(error))
    for e in chain:
        if isinstance(e, ScigenError):
            return str(e)
    for e in chain:
        if isinstance(e, ValidationError):
            return _explain_validation(e)
    if any(isinstance(e, HydraException | OmegaConfBaseException) for e in chain):
        return _explain_hydra(" ".join(str(e) for e in chain), config_name)
    return None


def _explain_validation(error: ValidationError) -> str:
    lines = []
    for item in error.errors():
        where = ".".join(str(x) for x in item["loc"]) or error.title
        lines.append(f"{where}: {item['msg']}, got {item.get('input')!r}")
    return "; ".join(lines) + ". Mend the value in the experiment file or on the command line."


def _explain_hydra(text: str, config_name: str) -> str:
    first = text.split("\n")[0]
    key = re.search(r"full_key: (\S+)", text)
    if key and "not in struct" in text:
        return f'no key "{key.group(1)}" in the configuration: {nearest(key.group(1), known_keys(config_name))}'
    missing = re.search(r"Could not (?:find|override) '/?([\w./-]+)", text)
    if missing:
        wanted = missing.group(1)
        folder = CONF / Path(wanted).parent
        if "/" in wanted and folder.is_dir():
            return f'no "{wanted}" in conf: {nearest(Path(wanted).name, (p.stem for p in folder.glob("*.yaml")))}'
        groups = {str(p.relative_to(CONF).parent) for p in CONF.rglob("*.yaml")} - {"."}
        return f'no key or config group "{wanted}": {nearest(wanted, groups | set(known_keys(config_name)))}'
    return first


def known_keys(config_name: str) -> list[str]:
    """Every dotted key of the command's default configuration."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose(config_name)
    return list(dotted(OmegaConf.to_container(cfg, resolve=False)))


def dotted(node: Any, prefix: str = "") -> Iterator[str]:
    """`{"a": {"b": 1}}` -> `a`, `a.b`."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from dotted(value, f"{prefix}{key}.")


def check_keys(given: Sequence[str], known: Sequence[str], where: str) -> None:
    """Raise ScigenError at the first key of `given` that is not in `known`, naming the nearest ones."""
    for key in given:
        if key not in known:
            raise ScigenError(f'{where}: no key "{key}": {nearest(key, known)}')


def _give_own_folder(cfg: DictConfig) -> None:
    """In a sweep each job writes to the folder that Hydra made for it, unless the user named one."""
    hydra_cfg = HydraConfig.get()
    if not any(o.startswith("paths.output=") for o in hydra_cfg.overrides.task):
        OmegaConf.update(cfg, "paths.output", hydra_cfg.runtime.output_dir)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
