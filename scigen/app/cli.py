"""The edge of the package: argv -> Hydra -> plain settings -> job, and errors that a person can act on.

Nothing below this module sees a DictConfig, and nothing heavy is imported here: `--help` must answer in a second.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ValidationError

from scigen.app import sweep
from scigen.errors import NO_ROOM, ScigenError, nearest

CONF = Path(__file__).resolve().parents[2] / "conf"


def main(config_name: str, job: str, words: Mapping[str, str] | None = None) -> None:
    """Run `job` ("module:function", called with the composed config as a plain dict) under conf/<config_name>.yaml.

    `words` are what a user may write for a key of the configuration (see `said`). Exits with 2 after a user's error,
    which is printed without a traceback.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # errors reach us instead of being printed by Hydra
    sys.argv[1:] = [said(open_verl_key(a), words or {}) for a in sys.argv[1:]]

    def run(cfg: DictConfig) -> None:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            _give_own_folder(cfg)
            output = Path(OmegaConf.select(cfg, "paths.output"))
            guard = sweep.marked(HydraConfig.get().overrides.task, output, lambda e: explain(e, config_name))
        else:
            guard = _explained(config_name)  # here too: Hydra would print its own lines first
        module, function = job.split(":")
        with guard:
            getattr(import_module(module), function)(OmegaConf.to_container(cfg, resolve=True))

    try:
        with _explained(config_name):
            hydra.main(config_path=str(CONF), config_name=config_name, version_base="1.3")(run)()
    finally:
        sweep.close()


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
        fault = next((each for each in _chain(e) if isinstance(each, ScigenError)), ScigenError())
        stopped = fault.exit_status != ScigenError.exit_status
        print(message if stopped else f"error: {message}", file=sys.stderr)
        sys.exit(fault.exit_status)


def open_verl_key(argument: str) -> str:
    """`verl.a.b=1` -> `++verl.a.b=1`: our `verl` node holds only what differs from verl's defaults, so any of verl's
    keys may be new to it. They are checked later, against the installed verl."""
    return f"++{argument}" if re.match(r"verl\.[\w.]+=", argument) else argument


def said(argument: str, words: Mapping[str, str]) -> str:
    """`generator=a,b` -> `image_sets=[a,b]` where `generator` stands for `image_sets[]`, a list.

    Hydra would take the comma for a sweep, and the name of a config group for a choice among its files.
    """
    word, equals, value = argument.partition("=")
    if word not in words or not equals:
        return argument
    key = words[word].removesuffix("[]")
    is_bare_list = key != words[word] and re.fullmatch(r"[\w.-]+(,[\w.-]+)*", value) and value != "null"
    return f"{key}=[{value}]" if is_bare_list else f"{key}={value}"


def explain(error: Exception, config_name: str) -> str | None:
    """What to tell the user, or None if it is not the user's doing."""
    chain = list(_chain(error))
    for e in chain:
        if isinstance(e, ScigenError):
            return str(e)
    for e in chain:
        if isinstance(e, ValidationError):
            return _explain_validation(e)
        if isinstance(e, OSError) and e.errno in NO_ROOM:
            return f"{e.filename or 'a file'}: {e.strerror}. Free some space and run the same command again."
    if any(isinstance(e, HydraException | OmegaConfBaseException) for e in chain):
        return _explain_hydra(" ".join(str(e) for e in chain), config_name)
    return None


def _explain_validation(error: ValidationError) -> str:
    lines = []
    for item in error.errors():
        where = ".".join(str(x) for x in item["loc"]) or error.title
        given = item.get("input")
        said = "" if isinstance(given, Mapping | BaseModel) else f", got {given!r}"
        lines.append(f"{where}: {item['msg'].removeprefix('Value error, ')}{said}")
    return "; ".join(lines) + ". Mend the value in the experiment file or on the command line."


def _explain_hydra(text: str, config_name: str) -> str:
    first = text.split("\n")[0]
    key = re.search(r"full_key: (\S+)", text)
    if key and "not in struct" in text:
        return f'no key "{key.group(1)}" in the configuration: {nearest(key.group(1), known_keys(config_name))}'
    missing = re.search(r"Could not (?:find|override) '/?([\w./-]+)", text)
    if missing:
        wanted = missing.group(1)
        options = {p.stem for folder in _folders() for p in (folder / wanted).parent.glob("*.yaml")}
        if "/" in wanted and options:
            return f'no "{wanted}" in conf: {nearest(Path(wanted).name, options)}'
        groups = {str(p.relative_to(CONF).parent) for p in CONF.rglob("*.yaml")} - {"."}
        return f'no key or config group "{wanted}": {nearest(wanted, groups | set(known_keys(config_name)))}'
    return first


def known_keys(config_name: str) -> list[str]:
    """Every dotted key of the command's configuration, with the options that the user chose where they compose."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    chosen = [a for a in sys.argv[1:] if re.match(r"\+?[a-z/_]+(@[\w.]+)?=[\w/-]+$", a) and _is_option(a)]
    own = [f"file://{folder.resolve()}" for folder in _folders() if folder != CONF]
    for overrides in ([*chosen, f"hydra.searchpath=[{','.join(own)}]"], []):
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(str(CONF), version_base="1.3"):
                cfg = compose(config_name, overrides)
        except (HydraException, OmegaConfBaseException):
            continue
        return list(dotted(OmegaConf.to_container(cfg, resolve=False)))
    return []


def _is_option(argument: str) -> bool:
    group, _, option = argument.lstrip("+").partition("=")
    return any((folder / group.partition("@")[0] / f"{option}.yaml").is_file() for folder in _folders())


def _folders() -> list[Path]:
    """Where configs lie: ours, and the folder that the user named."""
    words = [word for argument in sys.argv[1:] for word in argument.split("=", 1)]
    return [CONF, *(Path(b) for a, b in pairwise(words) if a in ("--config-dir", "-cd"))]


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
        OmegaConf.update(cfg, "paths.output", os.path.normpath(hydra_cfg.runtime.output_dir))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
