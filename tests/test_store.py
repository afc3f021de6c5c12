"""A set survives whatever kills its writer, and refuses what is broken with words that help."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scigen.errors import ScigenError
from scigen.records import FilterDecision, GeneratedImage, Status
from scigen.store import SetWriter, image_path, iter_records, parse_line, read_manifest, read_set, replacing, set_hash

COUNT = 120

WRITER = f"""
import hashlib, sys
from pathlib import Path
from scigen.records import GeneratedImage, Status
from scigen.store import SetWriter
with SetWriter(Path(sys.argv[1]), GeneratedImage, "inputs") as w:
    print("open", flush=True)
    for i in range({COUNT}):
        if f"p{{i}}/g" in w:
            continue
        sha = w.put_image(b"PNG " + str(i).encode() * 2000)
        w.append(GeneratedImage(problem_id=f"p{{i}}", generator="g", status=Status.OK, image=sha, code="x" * 5000))
        print(i, flush=True)
    w.finish()
"""


def decision(i: int, kept: bool = True) -> FilterDecision:
    return FilterDecision(problem_id=f"p{i}", generator="g", split="train", kept=kept, reason="passed")


def write(folder: Path, count: int) -> None:
    with SetWriter(folder, FilterDecision, "inputs") as w:
        for i in range(count):
            w.append(decision(i))
        w.finish()


@pytest.mark.slow
def test_kills_at_random_points_lose_and_double_nothing(tmp_path: Path, full: bool) -> None:
    folder, rng, promised = tmp_path / "set", random.Random(0), set[str]()
    kills = 0
    while kills < (50 if full else 15):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        time.sleep(rng.uniform(0, 0.012))
        writer.send_signal(signal.SIGKILL)
        kills += writer.wait() == -signal.SIGKILL
        promised |= {f"p{line.strip()}/g" for line in writer.stdout if line.endswith("\n")}
        with SetWriter(folder, GeneratedImage, "inputs") as w:
            assert promised <= set(w.keys)  # whatever was reported as written is there
        records = list(iter_records(folder, GeneratedImage))
        assert len({r.key for r in records}) == len(records)
        for record in records:
            assert image_path(folder, record.image or "").stat().st_size > 2000
        if len(records) == COUNT:  # begin again, so that every kill hits work
            for path in (folder / "manifest.json", folder / "records.jsonl"):
                path.unlink(missing_ok=True)
            promised.clear()
    subprocess.run([sys.executable, "-c", WRITER, str(folder)], check=True, stdout=subprocess.DEVNULL)
    clean = tmp_path / "clean"
    subprocess.run([sys.executable, "-c", WRITER, str(clean)], check=True, stdout=subprocess.DEVNULL)
    assert set_hash(read_set(folder, GeneratedImage)) == set_hash(read_set(clean, GeneratedImage))


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_torn_last_line_is_refused_by_readers_and_cut_by_the_next_writer(tmp_path: Path, cut: int) -> None:
    folder = tmp_path / "set"
    write(folder, 3)
    path = folder / "records.jsonl"
    (folder / "manifest.json").unlink()
    os.truncate(path, path.stat().st_size - cut)
    with pytest.raises(ScigenError, match=r"records.jsonl:3: the line is cut off. Run the command"):
        list(iter_records(folder, FilterDecision))
    with SetWriter(folder, FilterDecision, "inputs") as w:
        assert set(w.keys) == {"p0/g", "p1/g"}
        w.append(decision(2))
        w.finish()
    assert [r.key for r in read_set(folder, FilterDecision)] == ["p0/g", "p1/g", "p2/g"]


def test_a_broken_line_is_named_with_file_line_field_and_mend(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write(folder, 3)
    path = folder / "records.jsonl"
    lines = path.read_text().splitlines()
    bad = json.loads(lines[1]) | {"split": "test"}
    path.write_text("\n".join([lines[0], json.dumps(bad), lines[2]]) + "\n")
    with pytest.raises(
        ScigenError, match=r"records.jsonl:2: split: Input should be 'train' or 'held_out'.*Mend the line"
    ):
        list(iter_records(folder, FilterDecision))
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize(("change", "field"), [({"schema_version": 2}, "schema_version"), ({"extra": 1}, "extra")])
def test_no_line_of_another_shape_passes(change: dict[str, int], field: str) -> None:
    good = decision(0).model_dump(mode="json")
    with pytest.raises(ScigenError, match=f"f:1: {field}: "):
        parse_line(FilterDecision, json.dumps(good | change), "f:1")
    with pytest.raises(ScigenError, match="f:1: the line: Invalid JSON"):
        parse_line(FilterDecision, "not json", "f:1")


def test_an_unfinished_or_changed_set_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    with SetWriter(folder, FilterDecision, "inputs") as w:
        w.append(decision(0))
    with pytest.raises(ScigenError, match="unfinished"):
        read_set(folder, FilterDecision)
    write(tmp_path / "other", 2)
    path = tmp_path / "other" / "records.jsonl"
    path.write_text(path.read_text().replace('"kept":true', '"kept":false', 1))
    with pytest.raises(ScigenError, match="was changed after manifest"):
        read_set(tmp_path / "other", FilterDecision)


def test_other_inputs_start_a_new_set_and_keep_the_old_one(tmp_path: Path) -> None:
    write(tmp_path / "set", 2)
    with SetWriter(tmp_path / "set", FilterDecision, "other inputs") as w:
        assert not w.keys
    assert len(list(iter_records(tmp_path / "set.old-1", FilterDecision))) == 2


def test_a_key_is_written_once_and_a_set_has_one_writer(tmp_path: Path) -> None:
    with SetWriter(tmp_path / "set", FilterDecision, "inputs") as w:
        w.append(decision(0))
        with pytest.raises(ScigenError, match="written once"):
            w.append(decision(0))
        with pytest.raises(ScigenError, match="another process"), SetWriter(tmp_path / "set", FilterDecision, "inputs"):
            pass


def test_a_full_disk_is_an_error_that_loses_nothing(tmp_path: Path) -> None:
    """A file-size limit stands for the full disk: write(2) fails half-way through a line."""
    script = f"""
import resource, signal
from pathlib import Path
from scigen.errors import ScigenError
from scigen.records import FilterDecision
from scigen.store import SetWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with SetWriter(Path({str(tmp_path / "set")!r}), FilterDecision, "inputs") as w:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        for i in range(99):
            w.append(FilterDecision(problem_id=f"p{{i}}", generator="g", split="train", kept=True, reason="passed"))
    except ScigenError as e:
        print(len(w), e)
"""
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    written = int(out.split()[0])
    assert "Free some space and run the same command again" in out
    assert written > 0
    assert len(list(iter_records(tmp_path / "set", FilterDecision))) == written
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_time_and_price_do_not_change_the_hash_of_equal_work() -> None:
    a = GeneratedImage(problem_id="p", generator="g", status=Status.BLANK, seconds=1.0)
    assert a.content_hash() == a.model_copy(update={"seconds": 9.0, "cost_usd": 2.0}).content_hash()
    assert a.content_hash() != a.model_copy(update={"status": Status.TIMEOUT}).content_hash()


def test_only_a_good_image_has_an_image() -> None:
    with pytest.raises(ValueError, match="only ok has an image"):
        GeneratedImage(problem_id="p", generator="g", status=Status.OK)


def test_the_manifest_counts_by_status(tmp_path: Path) -> None:
    with SetWriter(tmp_path / "set", GeneratedImage, "inputs") as w:
        for i, status in enumerate([Status.BLANK, Status.BLANK, Status.TIMEOUT]):
            w.append(GeneratedImage(problem_id=f"p{i}", generator="g", status=status))
        w.finish()
    manifest = read_manifest(tmp_path / "set")
    assert manifest is not None
    assert manifest.by_status == {"blank": 2, "timeout": 1}


def test_a_folder_takes_the_place_of_another_only_when_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "model"
    with replacing(folder) as part:
        (part / "old").write_text("old")
    with pytest.raises(FileNotFoundError), replacing(folder) as part:
        (part / "new").write_bytes((tmp_path / "not there").read_bytes())
    assert [p.name for p in folder.iterdir()] == ["old"]
    with replacing(folder) as part:
        (part / "new").write_text("new")
        assert [p.name for p in folder.iterdir()] == ["old"]
    assert [p.name for p in folder.iterdir()] == ["new"]
    assert folder.stat().st_mode & 0o777 == 0o755
    assert [p.name for p in folder.parent.iterdir()] == ["model"], "nothing is left beside it"
