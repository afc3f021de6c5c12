"""Tables of every form become the same problems; what is bad is a fault with file, row and mend, and nothing dies."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scigen.errors import ScigenError
from scigen.problems.malformed import Fault, Malformed
from scigen.problems.sources import CuratedSet, Table, collect
from scigen.problems.sources.base import SourceItem
from scigen.problems.sources.pictures import GAP, BadPicture, as_png
from scigen.records import ImageType, Problem, Subject, problem_id
from scigen.store import read_set

ROWS = [{"id": i, "question": f"What is {i} + 1?", "answer": str(i + 1)} for i in range(7)]
FIELDS = {"question": "question", "answer": "answer", "id": "id"}


def picture(color: str, size: tuple[int, int] = (40, 30), form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, format=form)
    return out.getvalue()


def table(path: Path | str, **changes: Any) -> Table:
    return Table(**{"name": "mine", "licence": "CC0-1.0", "fields": FIELDS, "path": str(path), **changes})


def taken(items: Iterable[SourceItem]) -> tuple[list[Problem], list[Malformed]]:
    found = list(items)
    return [i.problem for i in found if i.problem], [fault for i in found for fault in i.faults]


def as_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))


def as_gzip(path: Path, rows: list[dict[str, Any]]) -> None:
    with gzip.open(path, "wt") as f:
        f.writelines(json.dumps(r) + "\n" for r in rows)


def as_list(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows, indent=1))


def as_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as f:
        writer = csv.DictWriter(f, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)


@pytest.mark.parametrize(
    ("name", "write"),
    [("t.jsonl", as_jsonl), ("t.jsonl.gz", as_gzip), ("t.json", as_list), ("t.csv", as_csv), ("t.parquet", as_parquet)],
)
def test_every_form_gives_the_same_problems(name: str, write: Callable[..., None], tmp_path: Path) -> None:
    write(tmp_path / name, ROWS)
    problems, faults = taken(table(tmp_path / name).items())
    assert faults == []
    assert [(p.id, p.question, p.answer) for p in problems] == [
        (f"mine-{i}", f"What is {i} + 1?", str(i + 1)) for i in range(7)
    ]
    assert problems[2].origin == f"mine@local:{name}:3"
    assert problems[2].licence == "CC0-1.0"
    assert problems[2].multimodal_question == problems[2].question


def test_a_folder_and_a_glob_are_all_their_tables_in_order(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "b.jsonl", ROWS[4:])
    as_csv(tmp_path / "a.csv", ROWS[:4])
    (tmp_path / "notes.txt").write_text("no table")
    ids = [f"mine-{i}" for i in range(7)]
    assert [p.id for p in taken(table(tmp_path).items())[0]] == ids
    assert [p.id for p in taken(table(tmp_path / "*.jsonl").items())[0]] == ids[4:]


def test_an_id_is_a_hash_of_source_and_question_where_the_table_has_none(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "t.jsonl", ROWS)
    problems, _ = taken(table(tmp_path / "t.jsonl", fields={}).items())
    assert problems[0].id == problem_id("mine", "What is 0 + 1?")
    assert len({p.id for p in problems}) == 7


def test_nested_columns_options_types_and_elements(tmp_path: Path) -> None:
    row = {
        "q": {"text": "<image> Which is right?"},
        "a": "B",
        "choices": ["3 m", "4 m"],
        "type": "Physics - Mechanical",
        "see": ["3 m", " "],
        "mm": "Which?",
    }
    as_jsonl(tmp_path / "t.jsonl", [row])
    fields = {
        "question": "q.text",
        "answer": "a",
        "options": "choices",
        "image_type": "type",
        "elements": "see",
        "multimodal_question": "mm",
    }
    (p,), _ = taken(table(tmp_path / "t.jsonl", fields=fields).items())
    assert p.question == "Which is right?\n(A) 3 m\n(B) 4 m"
    assert (p.subject, p.image_type) == (Subject.PHYSICS, ImageType.MECHANICAL)
    assert p.elements == ("3 m",)
    assert p.multimodal_question == "Which?"


def test_bad_rows_are_faults_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [
        json.dumps(ROWS[0]),
        '{"id": 1, "question": "cut',
        '["a list"]',
        json.dumps({"id": 3, "question": " ", "answer": "4"}),
        json.dumps({"id": 4, "question": "What?", "answer": None}),
        json.dumps(ROWS[5]),
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    problems, faults = taken(table(tmp_path / "t.jsonl").items())
    assert [p.id for p in problems] == ["mine-0", "mine-5"]
    assert [(f.item, f.field, f.kind) for f in faults] == [
        ("mine:t.jsonl:2", "row", Fault.ROW),
        ("mine:t.jsonl:3", "row", Fault.ROW),
        ("mine:t.jsonl:4", "question", Fault.NO_QUESTION),
        ("mine:t.jsonl:5", "answer", Fault.NO_ANSWER),
    ]
    assert all(f.mend for f in faults)


def test_a_csv_row_with_too_many_or_too_few_cells_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,question,answer\n0,What?,1\n1,What?\n2,What?,3,4\n3,Which?,2\n")
    problems, faults = taken(table(tmp_path / "t.csv").items())
    assert [p.id for p in problems] == ["mine-0", "mine-3"]
    assert [f.fault for f in faults] == [
        "has fewer cells than the head has names",
        "has more cells than the head has names",
    ]


def test_a_file_that_breaks_off_names_file_and_row(tmp_path: Path) -> None:
    as_gzip(tmp_path / "t.jsonl.gz", ROWS * 500)
    whole = (tmp_path / "t.jsonl.gz").read_bytes()
    (tmp_path / "t.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ScigenError, match=r"t\.jsonl\.gz:\d+: the file cannot be read on .*Download or write it again"):
        taken(table(tmp_path / "t.jsonl.gz").items())
    as_parquet(tmp_path / "t.parquet", ROWS)
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:-10])
    with pytest.raises(ScigenError, match=r"t\.parquet:1: the file cannot be read on"):
        taken(table(tmp_path / "t.parquet").items())
    as_list(tmp_path / "t.json", ROWS)
    (tmp_path / "t.json").write_text((tmp_path / "t.json").read_text()[:-60])
    with pytest.raises(ScigenError, match=r"t\.json:\d: the file cannot be read on"):
        taken(table(tmp_path / "t.json").items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fields": {"question": "queston"}}, r't\.jsonl:1: no column "queston" .*did you mean question'),
        ({"fields": {"qestion": "question"}}, r'problems\.fields: no field "qestion": did you mean question'),
        ({"shard": "5/4"}, r'problems\.shard: "5/4" is no part such as 3/16'),
        ({"path": "nowhere/*.jsonl"}, r"nowhere/\*\.jsonl: no such file, folder or glob"),
        ({"path": ""}, r"problems\.path: is empty, and so is problems\.dataset"),
    ],
)
def test_a_wrong_setting_says_what_and_how_to_mend_it(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    as_jsonl(tmp_path / "t.jsonl", ROWS)
    with pytest.raises(ScigenError, match=message):
        taken(table(**{"path": tmp_path / "t.jsonl", **changes}).items())


def test_shards_share_the_rows_out_and_limits_are_kept(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "t.jsonl", ROWS)
    path = tmp_path / "t.jsonl"
    parts = [[p.id for p in taken(table(path, shard=f"{i}/3").items())[0]] for i in (1, 2, 3)]
    assert parts == [["mine-0", "mine-3", "mine-6"], ["mine-1", "mine-4"], ["mine-2", "mine-5"]]
    assert [p.id for p in taken(table(path, offset=2, max_items=3).items())[0]] == ["mine-2", "mine-3", "mine-4"]


def test_shards_of_a_limited_part_are_that_part_together(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "t.jsonl", ROWS)
    shards = [taken(table(tmp_path / "t.jsonl", shard=f"{i}/2", max_items=5).items())[0] for i in (1, 2)]
    assert sorted(p.id for part in shards for p in part) == [f"mine-{i}" for i in range(5)]


@pytest.mark.parametrize("changes", [{"max_items": 0}, {"max_items": "ten"}, {"offset": -1}, {"shard": "0/3"}])
def test_a_part_that_makes_no_sense_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ScigenError, match=f"problems.{next(iter(changes))}: "):
        table("t.jsonl", **changes)


def test_of_a_local_copy_of_the_hub_only_the_split_is_read(tmp_path: Path) -> None:
    for name, rows in (("train", ROWS[:3]), ("test", ROWS[3:5]), ("testmini", ROWS[5:6])):
        (tmp_path / "data").mkdir(exist_ok=True)
        as_parquet(tmp_path / "data" / f"{name}-00000-of-00001.parquet", rows)
    assert [p.id for p in taken(table(tmp_path, split="test").items())[0]] == ["mine-3", "mine-4"]
    assert [p.id for p in taken(table(tmp_path, split="testmini").items())[0]] == ["mine-5"]
    with pytest.raises(ScigenError, match='has no table of split "dev", but of test, testmini, train'):
        taken(table(tmp_path, split="dev").items())
    (tmp_path / "own" / "data").mkdir(parents=True)
    as_parquet(tmp_path / "own" / "data" / "test-00000-of-00001.parquet", ROWS[6:])
    assert [p.id for p in taken(table(tmp_path, split="test", config="own").items())[0]] == ["mine-6"]


def test_what_would_end_a_reader_ends_a_row(tmp_path: Path) -> None:
    deep = '{"a": ' * 100_000
    lines = [
        b"\xef\xbb\xbf" + json.dumps(ROWS[0]).encode(),  # a byte order mark
        b'{"id": 1, "question": "caf\xe9?", "answer": "1"}',
        deep.encode(),
        b'{"id": 3, "question": "half \\ud800 a pair?", "answer": "1"}',
        json.dumps({"id": 4, "question": "<image1>What?<image2>", "answer": ["2", "3"]}).encode(),
    ]
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(lines))
    problems, faults = taken(table(tmp_path / "t.jsonl").items())
    assert [(p.id, p.question, p.answer) for p in problems] == [
        ("mine-0", "What is 0 + 1?", "1"),
        ("mine-4", "What?", "2, 3"),
    ]
    assert [(f.item, f.fault) for f in faults] == [
        ("mine:t.jsonl:2", "byte 26 of the line is not UTF-8"),
        ("mine:t.jsonl:3", "is nested too deeply"),
        ("mine:t.jsonl:4", "character 5 is half a surrogate pair"),
    ]


def test_faults_of_files_with_one_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.jsonl").write_text("no json\n")
    _, faults = taken(table(tmp_path).items())
    assert [f.item for f in faults] == ["mine:a/t.jsonl:1", "mine:b/t.jsonl:1"]


def test_a_column_that_no_row_has_is_named(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "t.jsonl", ROWS)
    problems, faults = taken(table(tmp_path / "t.jsonl", fields={**FIELDS, "image": "figur"}).items())
    assert len(problems) == 7
    assert [(f.field, f.fault) for f in faults] == [("image", 'column "figur" is in no row')]


def test_the_same_question_with_another_answer_is_a_fault_and_not_lost(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "t.jsonl", [{"question": "What?", "answer": a} for a in ("1", "2")])
    manifest, faults = collect(table(tmp_path / "t.jsonl", fields={}), tmp_path / "problems")
    assert (manifest.count, faults.count) == (1, 1)
    assert collect(table(tmp_path / "t.jsonl", fields={}), tmp_path / "problems")[1].count == 1


@pytest.mark.parametrize(("answer", "kind"), [("None", Fault.NO_ANSWER), ("<think>so", Fault.CHAIN_OF_THOUGHT)])
def test_an_answer_that_is_no_ground_truth_is_named_and_kept(answer: str, kind: Fault, tmp_path: Path) -> None:
    as_jsonl(tmp_path / "t.jsonl", [{"id": 1, "question": "What?", "answer": answer}])
    (p,), (fault,) = taken(table(tmp_path / "t.jsonl").items())
    assert (p.answer, fault.kind) == (answer, kind)


def test_reading_is_lazy(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(json.dumps(ROWS[0]) + "\n" + "x" * 1_000_000)
    items = table(tmp_path / "t.jsonl").items()
    assert next(iter(items)).problem is not None


def test_hub_parquet_with_pictures_reads_from_a_local_copy(tmp_path: Path) -> None:
    """The form of hiyouga/geometry3k, written by the library that writes the hub's files."""
    from datasets import Dataset, Features, Image, List, Value

    red, blue = picture("red"), picture("blue", (10, 60), "JPEG")
    features = Features({"images": List(Image()), "problem": Value("string"), "answer": Value("string")})
    rows = {
        "images": [[{"bytes": red, "path": None}], [{"bytes": red, "path": None}, {"bytes": blue, "path": None}]],
        "problem": ["<image>Find x.", "<image><image>Find x."],
        "answer": ["3", "4"],
    }
    Dataset.from_dict(rows, features=features).to_parquet(str(tmp_path / "test-00000.parquet"))
    fields = {"question": "problem", "answer": "answer", "image": "images"}
    source = table(tmp_path, fields=fields, benchmark=True, split="test")
    first, second = list(source.items())
    assert first.problem is not None
    assert second.problem is not None
    assert first.image == red  # a single PNG stays byte for byte
    assert first.problem.image == hashlib.sha256(red).hexdigest()
    assert second.image is not None
    assert size_of(second.image) == (40 + GAP + 10, 60)
    assert first.problem.question == second.problem.question == "Find x."
    assert first.problem.id != second.problem.id  # the same words about two pictures are two problems
    assert source.split_of(first.problem) == "held_out"


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def test_a_cell_holds_bytes_base64_or_a_file_beside_the_table(tmp_path: Path) -> None:
    red = picture("red")
    (tmp_path / "a.png").write_bytes(red)
    coded = base64.b64encode(red).decode()
    for cell in (red, coded, f"data:image/png;base64,{coded}", "a.png", {"bytes": red, "path": None}, [red]):
        assert as_png(cell, tmp_path) == red
    assert as_png(None, tmp_path) is None
    assert as_png([], tmp_path) is None
    with pytest.raises(BadPicture, match="neither a file"):
        as_png("../secret.png", tmp_path)
    with pytest.raises(BadPicture, match="cannot be decoded"):
        as_png(red[:40], tmp_path)


def test_a_broken_picture_is_a_fault_and_the_problem_is_kept(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "t.jsonl", [{**ROWS[0], "picture": base64.b64encode(b"no picture").decode()}])
    (p,), (fault,) = taken(table(tmp_path / "t.jsonl", fields={**FIELDS, "image": "picture"}).items())
    assert p.image is None
    assert (fault.kind, fault.field) == (Fault.IMAGE, "image")


def test_a_corpus_is_split_by_the_hash_of_its_ids(tmp_path: Path) -> None:
    source = table("unused", held_out_percent=30)
    problems = [Problem(id=f"p{i}", source="s", question="q", answer="a", multimodal_question="q") for i in range(2000)]
    held_out = sum(source.split_of(p) == "held_out" for p in problems)
    assert abs(held_out - 600) < 5 * (2000 * 0.3 * 0.7) ** 0.5  # five standard errors
    assert all(table("unused").split_of(p) == "train" for p in problems)


def test_a_collected_set_is_a_source_again_with_its_pictures(tmp_path: Path) -> None:
    red = picture("red")
    coded = base64.b64encode(red).decode()
    as_jsonl(tmp_path / "t.jsonl", [{**row, "picture": coded if row["id"] == 1 else None} for row in ROWS])
    source = table(tmp_path / "t.jsonl", fields={**FIELDS, "image": "picture"})
    manifest, faults = collect(source, tmp_path / "sets" / "problems")
    assert (manifest.count, faults.count) == (7, 0)
    again = CuratedSet(set=str(tmp_path / "sets" / "problems"), max_items=3)
    items = list(again.items())
    assert [i.problem for i in items] == read_set(tmp_path / "sets" / "problems", Problem)[:3]
    assert [i.image for i in items] == [None, red, None]
    with pytest.raises(ScigenError, match=r"there is no finished set of problems. Make it with: make it"):
        list(CuratedSet(set=str(tmp_path / "none"), command="make it").items())
