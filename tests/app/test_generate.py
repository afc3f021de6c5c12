"""scripts/generate.py as a user meets it: light help, the table, forecasts without a key, slips, figures, own code."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from scipy.stats import binomtest

sys.path.insert(0, str(Path(__file__).parents[1] / "generators"))

from generate_command import ROOT, generate, write_problems
from openai_server import OpenAIServer
from scripted_coder import some_problems
from vendor_server import VendorServer
from vendors import VENDORS

from scigen.app.cli import CONF
from scigen.app.generate import run
from scigen.records import GeneratedImage, Problem, Status
from scigen.store import read_manifest, read_set

pytestmark = pytest.mark.slow  # each starts the command as a process

HEAVY = {"torch", "openai", "inspect_ai", "ray", "matplotlib", "diffusers", "dashscope", "tencentcloud"}
HEAVY |= {"google.genai", "volcenginesdkarkruntime", "datasets", "PIL", "pandas", "transformers"}
R_INV = {
    "hunyuan_image_3": 30.79,
    "qwen_image": 38.86,
    "gpt_image_1": 42.97,
    "seedream_4": 52.67,
    "nanobanana": 57.75,
    "flux2_flex": 58.83,
    "gpt_image_1_5": 63.52,
    "nanobanana_pro": 73.41,
    "qwen3_imgcoder": 56.38,
    "gemini3_flash_imgcoder": 76.93,
    "gemini3_pro_imgcoder": 77.87,
}
"""The paper's systems, with the inverse validation rates in percent that it publishes for them."""
CODERS = {name for name in R_INV if name.endswith("imgcoder")}
KEYS = [
    *(variable for vendor in VENDORS.values() for variable in vendor.keys),
    *("GOOGLE_API_KEY", "GEMINI_API_KEY", "QWEN_API_KEY"),
]
QUICK = ["problems.textbook=4", "problems.glance=0", "problems.held_out=0", "+problems.names=[right_triangle,cuboid]"]


def problems(count: int) -> list[Problem]:
    return some_problems(count, names=("right_triangle", "resistor_network", "cuboid"))


def rows(text: str) -> list[list[str]]:
    """The cells of a table's rows as rich prints them."""
    lines = [line for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def as_script(*arguments: str) -> tuple[str, set[str]]:
    """What the command prints, and which heavy modules it loaded."""
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['scripts/generate.py', *{arguments!r}]\n"
        "try:\n    runpy.run_path('scripts/generate.py', run_name='__main__')\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', *sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    text, _, heavy = done.stdout.rpartition("HEAVY")
    return text, set(heavy.split())


def test_help_loads_nothing_heavy() -> None:
    text, heavy = as_script("--help")
    assert heavy == set()
    for word in ("generator=?", "dry_run", "budget.usd", "retry_failed", "shard=", "runtime=ray", *R_INV):
        assert word in text


def test_the_table_lists_every_generator_with_vendor_paradigm_price_and_the_papers_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    text, heavy = as_script("generator=?")
    assert heavy <= {"PIL"}
    table = {row[0]: row[1:] for row in rows(text)}
    assert table.keys() == {path.stem for path in (CONF / "generator").glob("*.yaml")}
    published = {name: float(row[3]) for name, row in table.items() if row[3]}
    assert published == R_INV
    assert list(published.values()) == sorted(R_INV.values(), reverse=True), "the best one first"
    for name, (vendor, paradigm, price, _) in table.items():
        assert vendor, name
        assert paradigm in ("code", "pixel", "procedural", "published", "hybrid")
        assert re.fullmatch(r"\$\d+\.\d+|free|own (server|machine)|its members'", price), name
    assert all(table[name][1] == ("code" if name in CODERS else "pixel") for name in R_INV)
    assert all(table[name][2].startswith("$") for name in R_INV if name != "qwen3_imgcoder")


# Dry runs


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, and no connection to anywhere."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)

    def refuse(*_: object) -> None:
        raise AssertionError("a dry run connects to nothing")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", R_INV)
def test_each_of_the_papers_systems_is_forecast_without_a_key(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = write_problems(problems(20), tmp_path / "problems")
    arguments += [f"generator={name}", f"paths.output={tmp_path / 'out'}", "dry_run=true", "budget.usd=3"]
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("generate", arguments), resolve=True)
    run(config)  # type: ignore[arg-type]
    said = capsys.readouterr().out
    table = dict(rows(said))  # type: ignore[arg-type]
    calls = 60 if name in CODERS else 20
    assert (table["images"], table["calls"], table["of these answered already"]) == ("20", str(calls), "0")
    likely, most = (float(table[f"cost, {word}"].lstrip("$")) for word in ("likely", "at most"))
    assert 0 < likely <= most or (likely == most == 0 and name == "qwen3_imgcoder")
    assert int(table["tokens out, likely"].replace(",", "")) > 0 or name not in CODERS
    assert "never" not in said
    assert "budget: $3.00" in said
    assert {path.name for path in tmp_path.iterdir()} == {"problems", ".problems.lock"}, "nothing is written"


def test_a_dry_run_knows_what_is_answered_and_writes_nothing(tmp_path: Path) -> None:
    few, many = problems(3), problems(5)
    out = tmp_path / "out"
    with OpenAIServer() as server:
        arguments = ["generator=gpt_image_1_5", f"generator.base_url={server.url}/v1"]
        arguments += ["generator.usd_per_image=0.2", "generator.usd_most=0.3"]
        generate(out, *write_problems(few, tmp_path / "few"), *arguments, environment=VENDORS["openai"].keys)
        before = written(out)
        said = generate(out, *write_problems(many, tmp_path / "many"), *arguments, "dry_run=true")
        assert len(server.calls) == 3
    table = dict(rows(said))  # type: ignore[arg-type]
    assert (table["images"], table["calls"], table["of these answered already"]) == ("5", "5", "3")
    assert (table["cost, likely"], table["cost, at most"]) == ("$0.40", "$0.60")
    assert written(out) == before


def written(out: Path) -> dict[Path, int]:
    """All files with their times, but for Hydra's copy of the configuration."""
    return {path: path.stat().st_mtime_ns for path in out.rglob("*") if ".hydra" not in str(path)}


# Slips


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generator=nanobanan"], ["nanobanan", "did you mean nanobanana"]),
        (["generator=qwen3_imgcoder", "generator.repair=3"], ["generator.repair", "did you mean generator.repairs"]),
        (["generator=flux2_flex", "generator.patience.retrys=3"], ["did you mean generator.patience.retries"]),
        (["+generator.defect_rat=1"], ["generator.defect_rat", "did you mean defect_rate"]),
        (["generator.defect_rate=2", *QUICK], ["defect_rate", "less than or equal to 1", "got 2"]),
        (["shard=5/4", *QUICK], ['shard: "5/4"', "3/16"]),
        (["problems=curated", "problems.set=/nowhere"], ["/nowhere", "Make it with: python scripts/curate.py"]),
    ],
    ids=lambda x: " ".join(x[:2]) if isinstance(x, list) else None,
)
def test_a_slip_is_an_error_without_a_traceback(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    said = generate(tmp_path / "out", *arguments, code=2)
    for word in words:
        assert word in said


# What it leaves


def test_the_summary_and_the_closing_table_say_the_same(tmp_path: Path) -> None:
    asked = problems(12)
    faults = {asked[2].question[:60]: "blocked", asked[5].question[:60]: "error_500", asked[6].question[:60]: "corrupt"}
    with OpenAIServer(lasting=faults) as server:
        arguments = [*write_problems(asked, tmp_path / "problems"), "generator=gpt_image_1_5"]
        arguments += [f"generator.base_url={server.url}/v1", "generator.patience.retries=1"]
        arguments += ["generator.patience.backoff_s=0.02"]
        said = generate(tmp_path / "out", *arguments, environment=VENDORS["openai"].keys)
    table = {row[0]: row[1:] for row in rows(said)}
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    records = read_set(tmp_path / "out" / "sets" / "gpt_image_1_5", GeneratedImage)
    assert summary["by_status"] == {"ok": 9, "blocked": 1, "api_error": 1, "bad_image": 1}
    assert {status: int(row[0]) for status, row in table.items() if status != "all"} == summary["by_status"]
    assert (summary["images"], summary["ok_rate"]) == (len(records), 0.75)
    interval = binomtest(9, 12).proportion_ci(method="wilson")
    assert summary["ok_interval_95"] == pytest.approx([interval.low, interval.high], abs=1e-9)
    assert table["ok"] == ["9", "75.0", f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"]
    usd = 10 * (50 * 5 + 4160 * 32) / 1e6  # the corrupt one was paid for, too
    assert summary["usd"] == pytest.approx(usd)
    assert table["all"] == ["12", f"${usd:.4f}", "12 attempts"]
    assert summary["tokens"] == 10 * 4210
    assert VendorServer().key not in said


def test_a_set_without_a_single_image_is_written_and_is_an_error(tmp_path: Path) -> None:
    asked = problems(3)
    with OpenAIServer(lasting={"": "blocked"}) as server:
        arguments = [*write_problems(asked, tmp_path / "problems"), "generator=gpt_image_1_5"]
        arguments += [f"generator.base_url={server.url}/v1"]
        said = generate(tmp_path / "out", *arguments, code=2, environment=VENDORS["openai"].keys)
    assert "gpt_image_1_5: no image at all (blocked 3)" in said
    assert len(read_set(tmp_path / "out" / "sets" / "gpt_image_1_5", GeneratedImage)) == 3


def test_a_curated_set_is_read_in_place(tmp_path: Path) -> None:
    folder = tmp_path / "curated"
    write_problems(problems(4), folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    arguments = ["problems=curated", f"problems.set={folder}", "problems.max_items=3", "gallery=50"]
    generate(tmp_path / "out", *arguments)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in (tmp_path / "out" / "sets").iterdir() if path.is_dir()) == ["procedural"]
    records = read_set(tmp_path / "out" / "sets" / "procedural", GeneratedImage)
    assert {r.problem_id for r in records} == {p.id for p in problems(4)[:3]}
    page = (tmp_path / "out" / "gallery.html").read_text()
    assert all(problem.id in page for problem in problems(4)[:3])


# A generator from outside the package, as docs/generators.md shows it


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    """Writes the two files of the documentation; gives the arguments that find the config."""
    section = (ROOT / "docs" / "generators.md").read_text().split("## A generator of your own")[1]
    code, config = re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    assert code.count("\n") <= 10
    (tmp_path / "my_generators.py").write_text(code)
    (tmp_path / "my_conf" / "generator").mkdir(parents=True)
    (tmp_path / "my_conf" / "generator" / "title_card.yaml").write_text(config)
    return ["--config-dir", str(tmp_path / "my_conf"), *QUICK]


@pytest.mark.slow
def test_a_generator_of_ones_own_is_one_class_and_one_config(own: list[str], tmp_path: Path) -> None:
    out, path = tmp_path / "out", {"PYTHONPATH": str(tmp_path)}
    folder = out / "sets" / "title_card"
    generate(out, *own, "generator=title_card", "shard=1/2", environment=path)
    generate(out, *own, "generator=title_card", environment=path)
    asked = {p.id: p for p in read_set(out / "sets" / "problems", Problem)}
    records = read_set(folder, GeneratedImage)
    assert {r.problem_id for r in records} == asked.keys()
    assert len(asked) == 4
    for record in records:
        assert record.status is Status.OK
        assert [text.text for text in record.texts if text.text in asked[record.problem_id].question]
    first = read_manifest(folder)
    generate(out, *own, "generator=title_card", "generator.size=9", environment=path)
    assert read_manifest(folder.with_name("title_card.old-1")) == first, "its fields are its settings"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generator=title_cart"], ["did you mean title_card"]),
        (["generator=title_card", "generator.sizes=9"], ["generator.sizes", "did you mean generator.size"]),
        (["generator=title_card", "generator.size=big"], ["size", "valid integer", "'big'"]),
        (["generator=title_card", "generator._target_=my_generators.Card"], ["no class my_generators.Card"]),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else None,
)
def test_slips_with_a_generator_of_ones_own_are_named_too(
    own: list[str], tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    said = generate(tmp_path / "out", *own, *arguments, code=2, environment={"PYTHONPATH": str(tmp_path)})
    for word in words:
        assert word in said


def test_without_its_folder_on_the_path_the_mend_is_named(own: list[str], tmp_path: Path) -> None:
    said = generate(tmp_path / "out", *own, "generator=title_card", code=2)
    assert "there is no class my_generators.TitleCard" in said
    assert "PYTHONPATH" in said
