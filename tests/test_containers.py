"""The GPU lock and the container recipes agree with each other, with pyproject.toml and with what is tested on a CPU.

They are read, not built: that takes a daemon, a GPU's compiler and 20 GB.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ON_GPUS = ("gpu", "pixel", "diffusers", "cjk")
DIFFER = {"fastapi", "numpy", "nvtx", "soupsieve"}
"""Packages that vLLM wants in another version than the CPU lock has."""


def lock(name: str) -> dict[str, Version]:
    lines = [x for x in (ROOT / name).read_text().splitlines() if x and not x.startswith("#")]
    pins = [re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)", x) for x in lines]
    assert all(pins), "every line is a comment or a pin"
    found = {canonicalize_name(m[1]): Version(m[2]) for m in pins if m}
    assert len(found) == len(lines), "every package once"
    return found


GPU = lock("constraints-gpu.txt")


def extras(requirements: list[str]) -> list[Requirement]:
    return [r for r in map(Requirement, requirements) if r.name != "scigen"]


@pytest.mark.parametrize("group", ["dependencies", *ON_GPUS])
def test_the_gpu_lock_holds_a_fitting_version_of_every_requirement(group: str) -> None:
    wanted = PROJECT["dependencies"] if group == "dependencies" else PROJECT["optional-dependencies"][group]
    for requirement in extras(wanted):
        pinned = GPU.get(canonicalize_name(requirement.name))
        assert pinned is not None, f"{requirement.name} is not in constraints-gpu.txt"
        assert requirement.specifier.contains(pinned, prereleases=True), f"{requirement} is pinned to {pinned}"


def test_what_runs_on_gpus_is_what_was_tested_without() -> None:
    cpu = lock("constraints.txt")
    assert {n for n in cpu.keys() & GPU.keys() if cpu[n] != GPU[n]} == DIFFER
    for name in ("torch", "verl", "transformers", "ray", "tensordict", "transferqueue", "qwen-vl-utils", "hydra-core"):
        assert cpu[name] == GPU[name]


def test_the_attention_that_verl_asks_for_is_pinned() -> None:
    """verl loads models with flash_attention_2 unless told otherwise; vLLM brings kernels of its own, not this module.

    It is compiled without isolation, so what its setup.py imports must be in the lock too.
    """
    assert GPU.keys() >= {"flash-attn", "einops", "torch", "setuptools", "wheel", "ninja", "packaging", "psutil"}


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile: (word, the rest), with continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "containers/Dockerfile").read_text())
    lines = [x for x in text.splitlines() if x and not x.startswith("#")]
    return [(x.split(" ", 1)[0], x.split(" ", 1)[1]) for x in lines]


def section(name: str) -> list[str]:
    """Lines of a section of the Apptainer recipe, with continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "containers/apptainer.def").read_text())
    found = re.search(rf"^%{name}\n(.*?)(?=^%|\Z)", text, re.M | re.S)
    assert found is not None
    return [x.strip() for x in found[1].splitlines() if x.strip()]


def copied() -> set[str]:
    sources = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    return {name for names in sources for name in names}


def test_everything_that_is_copied_is_there_and_nothing_is_ignored() -> None:
    kept = {x[1:] for x in (ROOT / "containers/Dockerfile.dockerignore").read_text().split() if x.startswith("!")}
    assert copied() == kept == {x.split()[0] for x in section("files")}
    for name in copied():
        assert (ROOT / name).exists(), name


def test_both_recipes_install_by_the_same_commands_from_the_lock() -> None:
    runs = [rest for word, rest in instructions() if word == "RUN"]
    pips = [x for x in runs if "pip " in x]
    assert pips == [x for x in section("post") if "pip " in x]
    installs = [x for x in pips if "pip install" in x]
    assert all("-c constraints-gpu.txt" in x for x in installs)
    named = re.search(r"-e '\.\[([\w,]+)\]'", installs[0])
    assert named is not None
    assert set(named[1].split(",")) <= set(PROJECT["optional-dependencies"])
    packages = re.search(r"--no-install-recommends +(.*?) *(&&|$)", runs[0])
    assert packages is not None
    assert any(x.endswith(packages[1]) for x in section("post"))


def test_bases_are_the_locks_cuda_and_the_projects_python() -> None:
    text = (ROOT / "containers/apptainer.def").read_text()
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert bases == re.findall(r"^From: (\S+)", text, re.M)
    python, cuda = bases
    assert re.match(r"python:3\.11-", python)
    assert Version("3.11") in Requirement(f"python{PROJECT['requires-python']}").specifier
    release = re.match(r"nvidia/cuda:(\d+)\.(\d+)\.\d+-devel-", cuda)
    assert release is not None
    assert (int(release[1]), int(release[2])) == GPU["nvidia-cuda-runtime"].release[:2], "devel, with its nvcc"


def test_the_command_of_the_image_is_there() -> None:
    assert ("CMD", '["python", "train.py", "--help"]') in instructions()
    assert "train.py" in copied()
