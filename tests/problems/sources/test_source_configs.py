"""Every file of conf/problems composes into a source, and says how it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from scigen.app.cli import CONF
from scigen.app.settings import build

NAMES = sorted(p.stem for p in (CONF / "problems").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_it_builds_a_source_with_settings_that_can_be_hashed(name: str, tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    table.write_text('{"question": "What?", "answer": "1"}\n')
    given = [f"problems={name}"]
    given += [f"problems.path={table}", "problems.licence=MIT"] if name == "file" else []
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config: Any = OmegaConf.to_container(compose("curate", given).problems, resolve=True)
    source = build(config, "problems")
    assert source.name.split("/")[0] == name
    if name not in ("curated", "scigenbench"):  # these read their file to say what they depend on
        assert isinstance(source.settings(), dict)


@pytest.mark.parametrize("name", NAMES)
def test_its_head_says_what_it_is(name: str) -> None:
    head = (CONF / "problems" / f"{name}.yaml").read_text().splitlines()[0]
    assert head.startswith("# ")
