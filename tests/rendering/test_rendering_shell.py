"""`python -m scigen.rendering`: one PNG and one line of JSON a script, errors that name the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from scigen.rendering import tikz
from scigen.rendering.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
GOOD = "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1), dpi=50).text(.1, .4, 'ä')\n"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scigen.rendering", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_every_script_gets_its_line_and_the_good_ones_their_png(tmp_path: Path) -> None:
    scripts = {
        "a.py": GOOD.encode(),
        "b.py": b"1 / 0\n",
        "c.py": b"x = '\xff'\n",
        "d.py": b"# coding: latin-1\n" + GOOD.encode("latin-1"),
    }
    for name, source in scripts.items():
        (tmp_path / name).write_bytes(source)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.py").write_text(GOOD)
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.png").write_text("of an earlier run")
    done = run("draw", *(tmp_path / n for n in scripts), tmp_path / "other/a.py", "--out", out, "--workers", "1")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(r) for r in records] == [{"name", "status", "image", "error", "seconds"}] * 5
    assert [r["status"] for r in records] == ["ok", "code_error", "code_error", "ok", "ok"]
    assert [r["image"] for r in records] == [str(out / "a.png"), None, None, str(out / "d.png"), str(out / "a-2.png")]
    assert Image.open(out / "a.png").size == (50, 50)
    assert records[1]["error"]["type"] == "ZeroDivisionError"
    assert records[1]["error"]["line"] == 1
    assert "encoding" in records[2]["error"]["message"]
    assert not (out / "b.png").exists()
    summary = json.loads((out / "summary.json").read_text())
    assert summary["status"] == {"ok": 3, "code_error": 2}
    assert not list(out.glob("*.part"))


def test_a_script_that_is_not_there_stops_everything_before_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    with pytest.raises(SystemExit) as stop:
        main(["draw", str(tmp_path / "a.py"), str(tmp_path / "b.py"), "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert f"{tmp_path / 'b.py'}: no file that can be read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_drawing_comes_along_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    assert main(["draw", str(tmp_path / "a.py"), "--out", str(tmp_path), "--drawing", "--workers", "1"]) == 0
    (record,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert [t["text"] for t in record["drawing"]["texts"]] == ["ä"]


@pytest.mark.slow
def test_the_probe_and_the_help() -> None:
    probe = run("--probe")
    assert probe.returncode == 0
    assert "untrusted scripts can be drawn here" in probe.stdout
    assert "Landlock" in probe.stdout
    text = run("--help").stdout
    assert "python -m scigen.rendering draw SCRIPT... --out DIR" in text
    assert run("draw").returncode == 2


@pytest.mark.slow
def test_tikz_is_drawn_by_its_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lacking = [name for name, path in tikz.found().items() if path is None and name != "lualatex"]
    if lacking:
        pytest.skip(f"no TeX here: {', '.join(lacking)} not found")
    (tmp_path / "a.tex").write_text(r"\draw (0,0) -- (1,1) node {a};")
    (tmp_path / "b.py").write_text(GOOD)
    names = [str(tmp_path / name) for name in ("a.tex", "b.py")]
    assert main(["draw", *names, "--out", str(tmp_path), "--workers", "1"]) == 0
    assert [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()] == ["ok", "ok"]
