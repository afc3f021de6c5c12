"""One list of panels: W&B's workspace and report, and a local page with the same curves."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from browser import CHROMIUM, Tab, tab

from scigen.analysis.dashboard.__main__ import main
from scigen.analysis.dashboard.page import page_data, short_names, write_page
from scigen.analysis.dashboard.panels import SECTIONS, Against, Curves, Levels, interval_of
from scigen.analysis.dashboard.runs import find
from scigen.errors import ScigenError

HOSTILE = "</script><script>window.pwned = 1</script>"


def write_run(
    output: Path, rows: int, reward: list[float], after: float, experiment: str = "tiny", done: bool = True
) -> Path:
    """A run folder as train.py leaves it: validated at step 0 and at the last, `reward` from step 1 on."""
    verl = output / "verl"
    trainset = output / "sets" / "trainset-real"
    for folder in (verl / "metrics", trainset):
        folder.mkdir(parents=True)
    last = len(reward)
    lines: list[dict[str, Any]] = [{"step": 0, "data": {"val-core/held_out/acc/mean@4": 0.25}}]
    for step, value in enumerate(reward, 1):
        data = {"critic/score/mean": value, "actor/grad_norm": 10.0**-step, "response_length/mean": 4}
        lines.append({"step": step, "data": data})
    lines[-1]["data"] |= {"val-core/held_out/acc/mean@4": after, "val-core/held_out_blank/acc/mean@4": 0.2}
    half = len(lines) // 2
    for number, part in enumerate((lines[: half + 1], lines[half:])):  # killed and resumed: one step was done twice
        text = "".join(json.dumps(line) + "\n" for line in part)
        (verl / "metrics" / f"attempt-{number:03d}.jsonl").write_text(text)
    (trainset / "trainset.json").write_text(json.dumps({"rows": {"train": rows, "held_out": 64}}))
    config = {"data": {"train_files": [str(trainset / "train.parquet")]}, "trainer": {"total_training_steps": last}}
    (verl / "verl_config.yaml").write_text(yaml.safe_dump(config))
    if not done:
        return output
    (verl / "done").write_text("x")
    score = {"avg_at_4": after, "ci95": [after - 0.05, after + 0.05], "n": 64, "truncated": 0.0, "no_answer": 0.01}
    difference = {"value": after - 0.25, "ci95": [after - 0.3, after - 0.2], "n": 64}
    summary = {
        "experiment": experiment, "command": f"python train.py +experiment={experiment}", "seed": 0,
        "before": score | {"avg_at_4": 0.25, "ci95": [0.2, 0.3]}, "after": score,
        "differences": {"after minus before": difference},
    }  # fmt: skip
    (output / "summary.json").write_text(json.dumps(summary))
    return output


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    write_run(tmp_path / "outputs" / "a", 64, [0.2, 0.3, 0.5, 0.6], 0.5)
    write_run(tmp_path / "outputs" / "b", 256, [0.1, 0.1, 0.2, 0.2], 0.3, experiment=HOSTILE)
    write_run(tmp_path / "outputs" / "c", 64, [0.4, 0.4], 0.4, done=False)
    (tmp_path / "outputs" / "a" / "verl.old-1" / "metrics").mkdir(parents=True)
    (tmp_path / "outputs" / "a" / "verl.old-1" / "metrics" / "attempt-000.jsonl").write_text("")
    return tmp_path / "outputs"


def panels_of(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {panel["title"]: panel for section in data["sections"] for panel in section["panels"]}


def test_curves_are_those_of_all_attempts_and_of_a_run_under_way(outputs: Path) -> None:
    runs = find([outputs])
    assert [(r.name, r.state, r.steps) for r in runs] == [
        ("a", "finished", 4),
        ("b", "finished", 4),
        ("c", "under way or stopped", 2),
    ]
    assert runs[0].curves["critic/score/mean"] == ((1, 0.2), (2, 0.3), (3, 0.5), (4, 0.6))
    with (outputs / "c" / "verl" / "metrics" / "attempt-002.jsonl").open("w") as f:
        f.write('{"step": 3, "data": {"critic/score/mean": 0.7, "actor/grad_norm": NaN}}\n{"step": 4, "da')
    (run,) = find([outputs / "c"])
    assert run.curves["critic/score/mean"][-1] == (3, 0.7)
    assert run.curves["actor/grad_norm"][-1][0] == 2, "what is no number is left out"


def test_figures_have_the_names_that_wandb_has(outputs: Path) -> None:
    run = find([outputs / "a"])[0]
    assert run.figures["after/avg_at_4"] == 0.5
    assert run.figures["after/ci95_low"] == pytest.approx(0.45)
    assert run.figures["rows/train"] == 64
    assert interval_of("differences/after minus before/value") == (
        "differences/after minus before/ci95_low",
        "differences/after minus before/ci95_high",
    )


def test_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for place in ("x/run", "y/run", "z/run"):
        write_run(tmp_path / place, 8, [0.1, 0.2], 0.3)
    (tmp_path / "x/run/verl").rename(tmp_path / "x/run/verl-before")
    assert [r.name for r in find([tmp_path])] == ["run/verl-before", "y/run", "z/run"]
    assert [r.name for r in find([tmp_path / "y", tmp_path / "y/run"])] == ["run"], "one run, named twice"


def test_runs_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for size in (128, 32, 1280):
        write_run(tmp_path / f"size{size}-seed0", size, [0.1, 0.2], 0.3)
    assert [r.name for r in find([tmp_path])] == ["size32-seed0", "size128-seed0", "size1280-seed0"]


def test_places_without_runs_are_named(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match="nowhere: there is no such folder"):
        find([tmp_path / "nowhere"])
    with pytest.raises(ScigenError, match="no run there or below"):
        find([tmp_path])
    (tmp_path / "r/verl/metrics").mkdir(parents=True)
    (tmp_path / "r/verl/metrics/attempt-000.jsonl").touch()
    with pytest.raises(ScigenError, match="nothing was logged yet"):
        write_page(find([tmp_path]), tmp_path / "page.html")


def test_labels_leave_out_what_all_metrics_share() -> None:
    assert short_names(["val-core/a/acc/mean@4", "val-core/b/c/acc/mean@4"]) == {
        "val-core/a/acc/mean@4": "a",
        "val-core/b/c/acc/mean@4": "b/c",
    }
    assert short_names(["after/x/n", "after/n"]) == {"after/x/n": "x", "after/n": ""}
    assert short_names(["one/metric"]) == {"one/metric": ""}


def test_the_page_holds_what_was_logged_and_only_that(outputs: Path) -> None:
    panels = panels_of(page_data(find([outputs])))
    rewards = [line["y"] for line in panels["Reward"]["lines"]]
    assert rewards == [[0.2, 0.3, 0.5, 0.6], [0.1, 0.1, 0.2, 0.2], [0.4, 0.4]]
    accuracy = panels["AVG@4 by benchmark"]["lines"]
    of_a = [(x["run"], x["label"], x["x"]) for x in accuracy[:2]]
    assert of_a == [(0, "held_out", [0, 4]), (0, "held_out_blank", [4])]
    assert "Entropy" not in panels, "no run has logged it"
    assert "Canaries" not in panels
    after = panels["AVG@4 after training"]["points"]
    assert [(p["run"], p["y"], p["n"]) for p in after] == [(0, 0.5, 64), (1, 0.3, 64)], "the third is not finished"
    scaling = panels["AVG@4 by training rows"]
    assert [(p["x"], p["y"]) for p in scaling["points"]] == [(64, 0.5), (256, 0.3)]
    assert scaling["logX"] is True


def test_one_size_of_train_set_makes_no_scaling_law(outputs: Path) -> None:
    assert "AVG@4 by training rows" not in panels_of(page_data(find([outputs / "a"])))


def test_the_page_stands_alone_and_nothing_of_a_run_is_markup(outputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    write_page(find([outputs]), out)
    page = out.read_text()
    assert HOSTILE not in page
    assert page.count("<script") == 2
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "default-src 'none'" in page


def test_workspace_and_report_hold_every_panel_of_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    out = tmp_path / "spec.json"
    main(["spec", "--entity", "lab", "--project", "science", "--out", str(out)])
    spec = json.loads(out.read_bytes())
    space = spec["workspace"]
    assert (space["entity"], space["project"]) == ("lab", "science")
    sections = space["spec"]["section"]["panelBankConfig"]["sections"]
    assert [s["name"] for s in sections] == [s.title for s in SECTIONS]
    grids = [b for b in spec["report"]["spec"]["blocks"] if b["type"] == "panel-grid"]
    assert [g["metadata"]["runSets"][0]["filters"]["filters"][0]["value"] for g in grids] == [
        s.job_type.value for s in SECTIONS
    ]
    in_report = [g["metadata"]["panelBankSectionConfig"]["panels"] for g in grids]
    for ours, in_space, in_text in zip(SECTIONS, sections, in_report, strict=True):
        expected = [made for panel in ours.panels for made in expected_of(panel)]
        assert [seen(p) for p in in_space["panels"]] == expected
        assert [seen(p) for p in in_text] == expected
        places = [(p["layout"]["x"], p["layout"]["y"]) for p in in_text]
        assert len(set(places)) == len(places), "no panel lies on another"


def expected_of(panel: Curves | Levels | Against) -> list[tuple[str, Any]]:
    if isinstance(panel, Curves):
        return [("Run History Line Plot", panel.metric or panel.pattern)]
    if isinstance(panel, Levels):
        return [("Bar Chart", [f"summary_metrics.{name}" for name in panel.figures])]
    return [("Scatter Plot", (f"summary:{panel.x}", f"summary:{y}", True)) for y in panel.y]


def seen(panel: dict[str, Any]) -> tuple[str, Any]:
    """What a panel of W&B's spec shows."""
    config, kind = panel["config"], panel["viewType"]
    if kind == "Run History Line Plot":
        assert config["xAxis"] == "_step"
        return kind, config["metricRegex"] if config.get("useMetricRegex") else config["metrics"][0]
    if kind == "Bar Chart":
        return kind, config["metrics"]
    return kind, (config["xAxis"], config["yAxis"], config.get("xAxisLogScale"))


def test_patterns_are_plain_enough_for_any_engine() -> None:
    """W&B's server and browsers have engines of their own."""
    for section in SECTIONS:
        for panel in section.panels:
            if isinstance(panel, Curves) and panel.pattern:
                assert not re.search(r"\(\?|\\[a-z]", panel.pattern), panel.title


def test_publishing_without_a_key_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    with pytest.raises(SystemExit, match="Set WANDB_API_KEY"):
        main(["publish", "--entity", "lab"])


LINES = "document.querySelectorAll('figure.panel path.line').length"
TIP = "document.querySelector('figure.panel .tip')"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_it_works_in_a_real_browser_from_disk(outputs: Path, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    main(["page", str(outputs), "--out", str(tmp_path / "page.html")])
    url = (tmp_path / "page.html").as_uri()
    asyncio.run(look(url, tmp_path / "profile"))


async def look(url: str, profile: Path) -> None:
    async with tab(profile) as page:
        await page.open(url)
        assert await page.value("document.getElementById('shown').textContent") == "3 of 3"
        every = await page.value(LINES)
        assert every == 5 * 3, "reward, length, gradient, and AVG@4 on two sets, of three runs"
        await hover(page)
        await smoothing_and_steps(page)
        await choose(page)
        await page.click("figure.panel h3 button")
        assert await page.value("document.querySelector('figure.panel').classList.contains('wide')") is True
        for width in (1280, 700):
            await page.send(
                "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
            )
            assert await page.value("document.documentElement.scrollWidth") <= width
        assert await page.value("window.pwned") is None
        assert page.complaints() == []
        assert page.requested() == {url}


async def hover(page: Tab) -> None:
    """A real mouse over the right end of the first panel lists every run's value at the last step."""
    chart = "document.querySelector('figure.panel svg.chart').getBoundingClientRect()"
    x, y = await page.value(f"(r => [r.right - 4, r.top + r.height / 2])({chart})")
    await page.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert await page.value(f"{TIP}.hidden") is False
    assert await page.value(f"{TIP}.querySelector('b').textContent") == "step 4"
    first = await page.value(f"[...{TIP}.querySelectorAll('tr')].map(r => r.innerText.split('\\t').join(' '))")
    assert [row.split(" ")[0] for row in first] == ["a", "b"], "the third run ended before"
    assert first[0].endswith("(0.6)"), "the smoothed value, and the logged one"
    await page.value("document.querySelector('figure.panel svg.chart').focus()")
    await page.send("Input.dispatchKeyEvent", type="keyDown", key="ArrowLeft")
    assert await page.value(f"{TIP}.querySelector('b').textContent") == "step 3"
    await page.send("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    assert await page.value(f"{TIP}.hidden") is True


async def smoothing_and_steps(page: Tab) -> None:
    """Without smoothing the line goes through the logged values; logarithmic steps move step 2 to the right."""
    form = "document.querySelector('form')"
    line = "document.querySelector('figure.panel path.line').getAttribute('d')"
    smoothed = await page.value(line)
    await page.value(f"{form}.smoothing.value = 0; {form}.smoothing.dispatchEvent(new Event('input'))")
    assert await page.value("document.querySelectorAll('path.raw').length") == 0
    straight = await page.value(line)
    assert straight != smoothed
    assert await page.value(f"{form}.weight.value") == "0.00"
    points = [tuple(map(float, p.split(" "))) for p in re.split("[ML]", straight)[1:]]
    ys = [y for _, y in points]
    assert (ys[0] - ys[1]) / (ys[1] - ys[2]) == pytest.approx(0.1 / 0.2, abs=0.02), "0.2, 0.3, 0.5: to scale"
    second = points[1][0]
    await page.click("input[name=logx]")
    logged = await page.value(line)
    assert float(re.split("[ML]", logged)[2].split(" ")[0]) > second + 10
    await page.click("input[name=logx]")


async def choose(page: Tab) -> None:
    """A box takes its run out of all panels; a search and the buttons work on what is found."""
    every = await page.value(LINES)
    await page.click("tr[data-run='1'] input")
    assert await page.value("document.getElementById('shown').textContent") == "2 of 3"
    assert (
        await page.value(
            "[...document.querySelectorAll('[data-run]')].filter(e => e.closest('svg') && e.dataset.run === '1').length"
        )
        == 0
    )
    assert await page.value(LINES) < every
    await page.click("button[name=none]")
    assert await page.value(LINES) == 0
    assert await page.value("document.querySelector('figure.panel .nothing').checkVisibility()") is True
    form = "document.querySelector('form')"
    await page.value(f"{form}.search.value = 'A'; {form}.search.dispatchEvent(new Event('input'))")
    assert (
        await page.value("[...document.querySelectorAll('.runs tbody tr')].filter(r => r.checkVisibility()).length")
        == 1
    )
    await page.click("button[name=all]")
    assert await page.value("document.getElementById('shown').textContent") == "1 of 3"
    await page.value(f"{form}.search.value = ''; {form}.search.dispatchEvent(new Event('input'))")
    await page.click("button[name=all]")
    assert await page.value(LINES) == every
