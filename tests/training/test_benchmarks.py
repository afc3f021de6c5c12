"""Benchmarks as verl rows: on tables of the data sets' own columns, written by the library that writes the hub's."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from PIL import Image

from scigen.errors import ScigenError
from scigen.problems.malformed import Malformed
from scigen.store import read_set
from scigen.training.benchmarks import Geometry3K, MathVision, Prompts, build_benchmark, malformed_set
from scigen.training.benchmarks.answers import AnswerType, answer_type, mended, unit_of
from scigen.training.pixel_budget import PixelBudget
from scigen.training.reward import is_equal

datasets.disable_progress_bars()
PROMPTS = Prompts(open="{question}\nOPEN \\boxed{{}}", choice="{question}\nCHOICE \\boxed{{}}")
BUDGET = PixelBudget(min_pixels=1024, max_pixels=128 * 128)
LETTERS = ["A", "B", "C", "D", "E"]


def picture(width: int = 64, height: int = 64, colour: str = "white", form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, format=form)
    return out.getvalue()


def mathvision_rows() -> list[dict[str, Any]]:
    def row(number: int, question: str, options: list[str], answer: str, **other: Any) -> dict[str, Any]:
        usual = {
            "id": str(number), "question": question, "options": options, "image": f"images/{number}.jpg",
            "decoded_image": {"bytes": picture(colour=f"#{number:06x}", form="JPEG"), "path": None},
            "answer": answer, "solution": None, "level": 2, "subject": "counting",
        }  # fmt: skip
        return usual | other

    return [
        row(4, "How many digits are there?\n<image1>", [], "6", level=1),
        row(27, "In which order?\n<image1>", [r"$\Delta, \square$", r"$\square, \Delta$"], "B", subject="topology"),
        row(6, "Which kitten?\n<image1>", LETTERS, "D"),
        row(33, "The ant <image1> walks to <image2>.\nWhich animal?\n<image6>\n<image7>", LETTERS, "A"),
        row(59, "Which side is opposite to <image3>?\n<image4>", [], "C"),
        row(2659, "Which graph?\n<image1>", [f"<image{n}>" for n in range(2, 7)], "D"),
        row(91, "How long is the room? <image1>", [r"$6 \mathrm{~m}$", r"$8 \mathrm{~m}$"], "B"),
        row(2826, "Find the ratio.\\n<image1>", [], "$\\boxed{\\frac{16}{7}}$"),
        row(2827, "Find it. <image1>", [], "\x0crac{36}{13}"),
        row(2957, "What is the angle? <image1>", [], "69{degrees}"),
        row(528, "<image1>", LETTERS, "E"),
        row(100, "What does <video> or <image> cost?\n<image1>", [], "5"),
        row(2716, "Which?<image1>", ["A", "C", "C", "D"], "A"),
        row(200, "", [], "1"),
        row(201, "How many?<image1>", [], "None"),
        row(202, "Which?<image1>", ["one", "two"], "C"),
        row(203, "Which?<image1>", ["one", ""], "A"),
        row(204, "How many?<image1>", [], "2", decoded_image={"bytes": b"no picture", "path": None}),
        row(205, "How many?<image1>", [], "2", decoded_image=None, image=""),
        row(4, "How many digits are there?\n<image1>", [], "6"),
        row(206, "Which word?<image1>", ["left", "right"], "right"),
        row(207, "How wide?<image1>", [], "2", decoded_image={"bytes": picture(5000, 4), "path": None}),
    ]


FEATURES = datasets.Features(
    {
        "id": datasets.Value("string"), "question": datasets.Value("string"),
        "options": datasets.List(datasets.Value("string")), "image": datasets.Value("string"),
        "decoded_image": datasets.Image(decode=False), "answer": datasets.Value("string"),
        "solution": datasets.Value("string"), "level": datasets.Value("int64"), "subject": datasets.Value("string"),
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def mathvision(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the hub's: one parquet file a split."""
    folder = tmp_path_factory.mktemp("MathVision") / "data"
    folder.mkdir()
    table = datasets.Dataset.from_list(mathvision_rows(), features=FEATURES)
    table.to_parquet(folder / "testmini-00000-of-00001.parquet")
    return folder.parent


@pytest.fixture(scope="module")
def built(mathvision: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[dict[str, Any]], Path]:
    parquet = tmp_path_factory.mktemp("sets") / "mathvision_mini.parquet"
    benchmark = MathVision(name="mathvision_mini", rows=22, split="testmini", path=str(mathvision))
    info = build_benchmark(benchmark, parquet, PROMPTS, BUDGET)
    return info, pq.read_table(parquet).to_pylist(), parquet


def asked(rows: list[dict[str, Any]], number: int | str) -> dict[str, Any]:
    (row,) = [r for r in rows if r["extra_info"]["problem_id"] == f"mathvision_mini-{number}"]
    return row


def content(row: dict[str, Any]) -> str:
    return str(row["prompt"][0]["content"])


def test_a_row_has_verls_fields_and_the_published_answer(built: Any) -> None:
    row = asked(built[1], 4)
    assert row["data_source"] == "mathvision_mini"
    assert row["prompt"] == [
        {"role": "user", "content": "<image>How many digits are there?\nOPEN \\boxed{}"},
    ]
    assert row["reward_model"] == {"style": "rule", "ground_truth": "6"}
    assert row["ability"] == "counting"
    extra = row["extra_info"]
    assert (extra["subject"], extra["level"], extra["answer_type"]) == ("counting", "1", "number")
    assert extra["question"] == "How many digits are there?"
    assert extra["origin"] == "MathLLMs/MathVision@local:testmini-00000-of-00001.parquet:1"


def test_every_row_has_one_mark_a_picture_and_pictures_within_the_budget(built: Any) -> None:
    for row in built[1]:
        assert content(row).count("<image>") == len(row["images"]) == 1
        with Image.open(io.BytesIO(row["images"][0]["bytes"])) as image:
            assert image.format == "PNG"
            assert image.width % 32 == image.height % 32 == 0
            assert 1024 <= image.width * image.height <= 128 * 128


def test_choices_are_shown_and_the_letter_is_asked_for(built: Any) -> None:
    row = asked(built[1], 27)
    assert content(row) == (
        "<image>In which order?\n\nChoices:\n(A) $\\Delta, \\square$\n(B) $\\square, \\Delta$\nCHOICE \\boxed{}"
    )
    assert (row["reward_model"]["ground_truth"], row["extra_info"]["choice"]) == ("B", r"$\square, \Delta$")
    assert row["extra_info"]["question"] == content(row).removeprefix("<image>").removesuffix("\nCHOICE \\boxed{}")


@pytest.mark.parametrize("number", [6, 2659])
def test_choices_that_stand_in_the_picture_are_named_by_their_letters(built: Any, number: int) -> None:
    assert "Choices, as the picture shows them: (A), (B), (C), (D), (E)" in content(asked(built[1], number))


def test_marks_of_parts_of_one_picture_leave_a_readable_question(built: Any) -> None:
    question = asked(built[1], 33)["extra_info"]["question"]
    assert question.startswith("The ant (see picture) walks to (see picture).\nWhich animal?\n\nChoices")
    row = asked(built[1], 59)  # no choices are listed, but the answer is a letter in the picture
    assert content(row) == "<image>Which side is opposite to (see picture)?\nCHOICE \\boxed{}"
    assert "The picture shows the question." in content(asked(built[1], 528))


def test_text_that_looks_like_media_is_broken_up(built: Any) -> None:
    row = asked(built[1], 100)
    assert "< video >" in content(row)
    assert content(row).count("<image>") == 1


def test_damaged_answers_are_mended_and_said(built: Any) -> None:
    info, rows, parquet = built
    assert asked(rows, 2826)["reward_model"]["ground_truth"] == r"\frac{16}{7}"
    assert asked(rows, 2827)["reward_model"]["ground_truth"] == r"\frac{36}{13}"
    assert asked(rows, 2826)["extra_info"]["question"] == "Find the ratio."
    assert asked(rows, 2957)["extra_info"]["unit"] == "degrees"
    assert asked(rows, 206)["reward_model"]["ground_truth"] == "B", "a choice given in full is its letter"
    said = {f.item.rpartition(":")[2]: f.fault for f in read_set(malformed_set(parquet), Malformed)}
    assert said["8"] == r"stands in a \boxed{}"
    assert said["9"] == r"holds '\x0c', which was '\\f'"
    assert info.faults["warning: answer is malformed"] == 2


def test_rows_that_cannot_be_used_are_on_record_and_none_vanishes(built: Any) -> None:
    info, rows, parquet = built
    left_out = {
        int(f.item.rpartition(":")[2]): (f.field, f.fault)
        for f in read_set(malformed_set(parquet), Malformed)
        if f.severity == "error"
    }
    assert left_out[14] == ("question", "is ''")
    assert left_out[15] == ("answer", "is 'None', which is no reference answer")
    assert left_out[16] == ("answer", "'C' is none of the 2 choices A to B")
    assert left_out[17] == ("choices", "choice B is ''")
    assert "cannot be decoded" in left_out[18][1]
    assert left_out[19] == ("pictures", "there is none")
    assert "longer than 200 times its width" in left_out[22][1]
    assert sorted(left_out) == [14, 15, 16, 17, 18, 19, 22]
    assert info.read == 22
    assert info.written == len(rows) == 22 - 7
    assert not info.complete
    assert (info.expected, sum(info.by_answer_type.values())) == (22, 15)


def test_a_problem_that_stands_twice_is_asked_twice_under_two_ids(built: Any) -> None:
    assert content(asked(built[1], 4)) == content(asked(built[1], "4-2"))
    ids = [r["extra_info"]["problem_id"] for r in built[1]]
    assert len(set(ids)) == len(ids)


def test_an_unchanged_benchmark_is_not_built_again_and_a_changed_prompt_is(mathvision: Path, tmp_path: Path) -> None:
    benchmark = MathVision(name="m", rows=22, split="testmini", path=str(mathvision))
    parquet = tmp_path / "m.parquet"
    first = build_benchmark(benchmark, parquet, PROMPTS, BUDGET)
    before = parquet.stat().st_mtime_ns
    assert build_benchmark(benchmark, parquet, PROMPTS, BUDGET) == first
    assert parquet.stat().st_mtime_ns == before
    other = build_benchmark(benchmark, parquet, Prompts("{question}!", "{question}?"), BUDGET)
    assert other.rows_hash != first.rows_hash


def test_the_authors_repository_names_files_beside_its_table(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "4.jpg").write_bytes(picture(form="JPEG"))
    row = {"id": "4", "question": "How many?\n<image1>", "options": [], "answer": "6", "solution": None, "level": 1}
    row |= {"subject": "counting", "image": "images/4.jpg"}
    (tmp_path / "data" / "testmini.jsonl").write_text(json.dumps(row) + "\n" + "{broken\n")
    benchmark = MathVision(name="m", rows=2, split="testmini", path=str(tmp_path / "data"))
    info = build_benchmark(benchmark, tmp_path / "m.parquet", PROMPTS, BUDGET)
    assert (info.written, info.faults) == (1, {"error: row cannot be read": 1})


def geometry_rows() -> list[dict[str, Any]]:
    def cells(*colours: str) -> list[dict[str, Any]]:
        return [{"bytes": picture(colour=c), "path": None} for c in colours]

    return [
        {"images": cells("red"), "problem": "<image>Find x.", "answer": "2 \\sqrt { 221 }"},
        {"images": cells("blue"), "problem": "<image>Find x.", "answer": "5.5"},
        {"images": cells("red", "blue"), "problem": "In <image2> and <image1>, which is larger?", "answer": "12 cm"},
        {"images": cells("red", "blue"), "problem": "Compare <image1>, <image2> and <image1>.", "answer": "1:2"},
        {"images": cells("red", "blue"), "problem": "How many figures?", "answer": "2"},
        {"images": [], "problem": "Find y.", "answer": "1"},
    ]


def test_several_pictures_stand_where_the_text_names_them_or_in_front(tmp_path: Path) -> None:
    features = datasets.Features(
        {
            "images": datasets.List(datasets.Image(decode=False)),
            "problem": datasets.Value("string"),
            "answer": datasets.Value("string"),
        }
    )
    table = tmp_path / "test-00000-of-00001.parquet"
    datasets.Dataset.from_list(geometry_rows(), features=features).to_parquet(table)
    parquet = tmp_path / "out.parquet"
    benchmark = Geometry3K(name="geometry3k", rows=6, split="test", path=str(table))
    info = build_benchmark(benchmark, parquet, PROMPTS, BUDGET)
    rows = pq.read_table(parquet).to_pylist()
    texts = [content(row).removesuffix("\nOPEN \\boxed{}") for row in rows]
    assert texts == [
        "<image>Find x.",
        "<image>Find x.",
        "In <image> and <image>, which is larger?",
        "<image><image>Compare (picture 1), (picture 2) and (picture 1).",
        "<image><image>How many figures?",
    ]
    assert colours(rows[2]) == [(0, 0, 255), (255, 0, 0)], "the second picture is named first"
    assert colours(rows[3]) == [(255, 0, 0), (0, 0, 255)]
    assert rows[2]["extra_info"]["question"] == "In (picture 2) and (picture 1), which is larger?"
    assert [r["extra_info"]["answer_type"] for r in rows] == ["expression", "number", "number", "expression", "number"]
    assert rows[2]["extra_info"]["unit"] == "cm"
    assert rows[0]["extra_info"]["problem_id"] != rows[1]["extra_info"]["problem_id"], "one question, two pictures"
    assert (info.written, info.pictures, info.faults) == (5, 8, {"error: picture cannot be read": 1})


def colours(row: dict[str, Any]) -> list[Any]:
    return [Image.open(io.BytesIO(i["bytes"])).convert("RGB").getpixel((0, 0)) for i in row["images"]]


def test_benchmarks_have_the_columns_that_verl_joins_into_one_table(built: Any, tmp_path: Path) -> None:
    """RLHFDataset concatenates its files; other types of one column would end the run."""
    table = tmp_path / "test.parquet"
    datasets.Dataset.from_list(geometry_rows()[:2]).to_parquet(table)
    geometry = tmp_path / "geometry3k.parquet"
    build_benchmark(Geometry3K(name="geometry3k", rows=2, split="test", path=str(table)), geometry, PROMPTS, BUDGET)
    parts = [datasets.Dataset.from_parquet(str(p), cache_dir=str(tmp_path)) for p in (built[2], geometry)]
    assert len(datasets.concatenate_datasets(parts)) == 15 + 2


@pytest.mark.slow
def test_verls_own_data_set_reads_the_rows_and_counts_the_same_tokens(built: Any, tmp_path: Path) -> None:
    from omegaconf import OmegaConf

    from scigen.training.pixel_budget import PromptCounter
    from scigen.training.policy import tiny

    table = tmp_path / "test.parquet"
    datasets.Dataset.from_list(geometry_rows()[:5]).to_parquet(table)
    geometry = tmp_path / "geometry3k.parquet"
    build_benchmark(Geometry3K(name="geometry3k", rows=5, split="test", path=str(table)), geometry, PROMPTS, BUDGET)
    rows = [*built[1], *pq.read_table(geometry).to_pylist()]
    tiny.build(tmp_path / "policy", [content(row) for row in rows], ["six"], seed=0)  # installs the torchvision shim
    from transformers import AutoProcessor
    from verl.utils.dataset.rl_dataset import RLHFDataset

    processor = AutoProcessor.from_pretrained(tmp_path / "policy")
    config = OmegaConf.create(
        {
            "image_key": "images",
            "max_prompt_length": 4096,
            "filter_overlong_prompts": True,
            "filter_overlong_prompts_workers": 1,
            "mm_processor_kwargs": BUDGET.processor_kwargs(),
            "cache_dir": str(tmp_path / "cache"),
        }
    )
    files = [str(built[2]), str(geometry)]
    data = RLHFDataset(files, processor.tokenizer, config, processor)
    assert len(data) == 15 + 5, "verl's filter of overlong prompts leaves out what it cannot read, too"
    counter = PromptCounter(processor, BUDGET)
    for row, read in zip(rows, data, strict=True):
        (message,) = read["raw_prompt"]
        pictures = [part["image"] for part in message["content"] if part["type"] == "image"]
        assert len(pictures) == len(row["images"])
        text = processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
        ids = processor(text=[text], images=pictures, **BUDGET.processor_kwargs())["input_ids"][0]
        assert len(ids) == counter.count(row["prompt"], [i["bytes"] for i in row["images"]])


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text(json.dumps({"question": "?", "answer": "1", "images": []}) + "\n")
    benchmark = Geometry3K(
        name="g", rows=1, split="test", path=str(tmp_path / "test.jsonl"), key="benchmark.geometry3k"
    )
    with pytest.raises(ScigenError, match=r'test\.jsonl:1: no column "problem".*benchmark\.geometry3k\.path'):
        build_benchmark(benchmark, tmp_path / "g.parquet", PROMPTS, BUDGET)


def test_a_benchmark_without_a_usable_row_is_an_error(tmp_path: Path) -> None:
    rows = [{"problem": "", "answer": "1", "images": []}]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    benchmark = Geometry3K(name="g", rows=1, split="test", path=str(tmp_path / "test.jsonl"))
    with pytest.raises(ScigenError, match="none of the 1 rows"):
        build_benchmark(benchmark, tmp_path / "g.parquet", PROMPTS, BUDGET)


@pytest.mark.parametrize(
    ("answer", "kind", "unit"),
    [
        ("6", "number", ""),
        ("-3.25", "number", ""),
        ("1,200", "number", ""),
        ("525/2", "number", ""),
        (r"\frac{36}{13}", "number", ""),
        (r"\frac{360}7", "number", ""),
        (r"$\frac{90}{23}^{\circ}$", "number", "degrees"),
        ("69{degrees}", "number", "degrees"),
        (r"$6 \mathrm{~m}$", "number", "m"),
        (r"12 \text{ cm}^2", "number", "cm^2"),
        ("12 square units", "number", "square units"),
        ("40\\%", "number", "%"),
        (r"5 \sqrt{3}", "expression", ""),
        ("(3,-4)", "expression", ""),
        ("1:2", "expression", ""),
        ("45^2", "expression", ""),
        (r"525\pi", "expression", ""),
        ("C", "choice", ""),
    ],
)
def test_kinds_and_units_of_answers(answer: str, kind: str, unit: str) -> None:
    assert answer_type(answer, choices=False) is AnswerType(kind)
    assert unit_of(answer) == unit


def test_mended_answers_are_equal_to_what_was_meant() -> None:
    assert is_equal(r"\frac{36}{13}", mended("\x0crac{36}{13}").answer)
    assert mended(" 11 ") == ("11", None)
    assert mended(r"$5 \sqrt{3}$") == (r"$5 \sqrt{3}$", None)


def test_a_prompt_without_its_question_is_refused() -> None:
    with pytest.raises(ScigenError, match=r"benchmark\.prompts\.choice: holds no \{question\}"):
        Prompts("{question}", "Which letter?")
