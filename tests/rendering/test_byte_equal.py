"""The good scripts of the corpus give the same bytes in every pool, process and user, and Matplotlib's own pixels."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import other_user
import pytest

GOOD = other_user.SHARED / "render_corpus" / "good"
DRAW = Path(__file__).with_name("draw_corpus.py")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not GOOD.is_dir(), reason=f"no script corpus at {GOOD}"),
]

Pictures = dict[str, tuple[str, str]]
"""Script to sha256 of the PNG and of the pixels."""


def draw(*args: str, uid: int | None = None, hash_seed: str = "0") -> Pictures:
    scripts = {file.stem: file.read_text() for file in sorted(GOOD.glob("*.py"))}
    assert len(scripts) == 42
    with other_user.home(uid) as home:
        done = subprocess.run(
            other_user.command(uid, DRAW, args[0], str(home), *args[1:]),
            input=json.dumps(scripts),
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    return {name: (png, pixels) for name, (png, pixels) in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def reference() -> Pictures:
    """By one worker in namespaces, twice."""
    return draw("pool", "1", "True")


def test_another_pool_with_another_hash_seed_and_two_workers_gives_the_same_bytes(reference: Pictures) -> None:
    assert draw("pool", "2", "True", hash_seed="4242") == reference


def test_without_namespaces_the_bytes_are_the_same(reference: Pictures, full: bool) -> None:
    if not full and not other_user.why_not(other_user.UID):
        pytest.skip("another user draws them without namespaces below")
    assert draw("pool", "2", "False", hash_seed="random") == reference


@pytest.mark.parametrize("namespaces", [True, False])
def test_another_user_gets_the_same_bytes(reference: Pictures, namespaces: bool, full: bool) -> None:
    if why := other_user.why_not(other_user.UID):
        pytest.skip(why)
    if namespaces and not full:
        pytest.skip("with --full")
    assert draw("pool", "2", str(namespaces), uid=other_user.UID, hash_seed="random") == reference


def test_the_pixels_are_those_of_matplotlib_alone(reference: Pictures) -> None:
    plain = draw("plain")
    assert {name for name in plain if plain[name][1] != reference[name][1]} == set()
    assert len({pixels for _, pixels in plain.values()}) == 42
