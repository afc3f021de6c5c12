"""Cores are those that are really granted; a host without walls is refused in words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from scigen.errors import ScigenError
from scigen.rendering import RenderPool, host, lockdown


def groups(tmp_path: Path, files: dict[str, str], membership: str) -> list[float]:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "membership").write_text(membership)
    return host._quotas(tmp_path, tmp_path / "membership")


def test_quotas_of_control_groups_version_2_count_up_to_the_root(tmp_path: Path) -> None:
    files = {"a/cpu.max": "400000 100000\n", "a/b/cpu.max": "150000 100000\n", "a/b/c/cpu.max": "max 100000\n"}
    assert groups(tmp_path, files, "0::/a/b/c\n") == [1.5, 4.0]


def test_quotas_of_control_groups_version_1(tmp_path: Path) -> None:
    files = {
        "cpu/job/cpu.cfs_quota_us": "200000\n",
        "cpu/job/cpu.cfs_period_us": "100000\n",
        "cpu/cpu.cfs_quota_us": "-1\n",
    }
    assert groups(tmp_path, files, "5:memory:/x\n4:cpu,cpuacct:/job\n") == [2.0]


def test_a_group_that_cannot_be_read_grants_nothing_and_takes_nothing(tmp_path: Path) -> None:
    assert groups(tmp_path, {}, "0::/nowhere\n") == []


def test_slurms_grant_counts_and_less_than_one_core_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "64")
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
    assert host.cores() == 1
    monkeypatch.delenv("SLURM_CPUS_PER_TASK")
    assert host.grants()["Slurm"] == 64
    monkeypatch.setattr(host, "_quotas", lambda *_: [0.5])
    assert host.cores() == 1


def test_without_landlock_untrusted_scripts_are_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockdown, "landlock_abi", lambda: 0)
    with pytest.raises(ScigenError, match=r"lacks Landlock .*unsafe=True"):
        RenderPool(1)
    RenderPool(1, unsafe=True)


def test_the_probe_says_what_was_found_and_draws_to_find_out() -> None:
    rows, possible = host.probe()
    found = {what: value for what, value, _ in rows}
    assert possible
    assert found["trial"] == "ok"
    assert found["namespaces"] in ("user", "root", "none")
    assert found["workers"] == str(host.cores())
    assert found["Landlock"] == f"ABI {lockdown.landlock_abi()}"
