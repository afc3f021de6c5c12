"""The folders tell the story of the data: imports point back along it, modules stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = [
    {"errors", "records", "ray_start", "torchvision_shim"},
    {"store", "statistics"},
    {"shards", "tracking"},
    {"models", "rendering"},
    {"problems", "glassbox"},
    {"generators"},
    {"evaluation"},
    {"training"},
    {"analysis"},
    {"app"},
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
MODULES = sorted((ROOT / "scigen").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Second parts of all `scigen.X` imports, wherever in the module they stand."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{a.name}" for a in node.names}
    return {name.split(".")[1] for name in names if name.startswith("scigen.") and not name.startswith("scigen.__")}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_back_and_modules_are_small(path: Path) -> None:
    part = path.relative_to(ROOT / "scigen").parts[0].removesuffix(".py")
    if part != "__init__":
        own = RANK[part]
        for other in imported(path):
            assert other == part or RANK[other] < own, f"{part} imports {other}"
    assert len(path.read_text().splitlines()) <= 400


def test_no_function_below_the_edge_takes_a_dictconfig() -> None:
    for path in MODULES:
        if path.parts[-2] != "app" and "DictConfig" in path.read_text():
            # verl's own configuration is one; only the package that talks to verl may hold it
            assert path.is_relative_to(ROOT / "scigen" / "training"), path


def test_no_drawer_for_odds_and_ends() -> None:
    names = {p.stem for p in MODULES}
    assert not names & {"utils", "util", "helpers", "common", "misc"}
