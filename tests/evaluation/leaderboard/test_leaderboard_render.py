"""What is rendered can be read back: same cells, same numbers, nothing of the records breaks the format."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scigen.evaluation.evidence import Evidence
from scigen.evaluation.leaderboard import BY_KEY, Section
from scigen.evaluation.leaderboard.board import NOT_RUN, Board, boards
from scigen.evaluation.leaderboard.render import csv_text, html, latex, markdown, tex_escape, whisker, write_all
from scigen.records import GeneratedImage, Problem, QuizAnswer, Subject, Verdict, VerdictStatus

WILD = "50%_<b>&{x}|$"
"""A name that would break each of the formats if it were not escaped."""


@pytest.fixture
def evidence() -> Evidence:
    """24 problems, half of SeePhys; WILD passes 18 of 24, `plain` 6, which is worse beyond chance."""
    problems = [
        Problem(
            id=f"p{n}", source=f"scigenbench/{'seephys' if n % 2 else 'scigen'}", question="?", answer="1",
            multimodal_question="?", subject=Subject.MATH,
        )
        for n in range(24)
    ]  # fmt: skip
    images = [
        GeneratedImage.model_validate({"problem_id": p.id, "generator": g, "status": "ok", "image": "0" * 64})
        for p in problems
        for g in (WILD, "plain")
    ]
    verdicts = []
    for name, passes in ((WILD, 18), ("plain", 6)):
        for n, p in enumerate(problems):
            right = n < passes
            answer = QuizAnswer(quiz=0, order="A", status=VerdictStatus.SCORED, said="A", chosen="A", correct=right)
            verdicts.append(
                Verdict(
                    problem_id=p.id, generator=name, evaluator="inverse", status=VerdictStatus.SCORED, passed=right,
                    answers=(answer,),
                )
            )  # fmt: skip
    return Evidence.of(problems, images, verdicts)


@pytest.fixture
def made(evidence: Evidence) -> list[Board]:
    return boards(evidence)


def test_parts_have_boards_of_their_own_unless_they_are_the_whole(made: list[Board], evidence: Evidence) -> None:
    assert [(b.split.value, b.problems) for b in made] == [("all", 24), ("scigen", 12), ("seephys", 12)]
    physics = evidence.narrowed(lambda p: p.source.endswith("seephys"))
    assert [b.split.value for b in boards(physics)] == ["all"]


def test_plain_rows_hold_value_interval_and_mark(made: list[Board]) -> None:
    head, first, second, *published = made[0].grid(Section.RIGHT).plain()
    assert head == ["generator", "", "n", "drawn (%) ↑", "R_inv (%) ↑", "R_inv, scored (%) ↑", "questions right (%) ↑"]
    assert first[:3] == [WILD, "", "24"]
    assert first[4] == "75.0 [55.1, 88.0]"  # Wilson's interval of 18 of 24
    assert second[4] == "25.0 [12.0, 44.9]"
    assert published[0] == ["Gemini3-Pro-ImgCoder", "published", "", NOT_RUN, "77.9", NOT_RUN, NOT_RUN]


def test_a_section_that_was_not_run_says_so_beside_the_papers_values(made: list[Board]) -> None:
    _, first, second, third, *_ = made[0].grid(Section.JUDGE).plain()
    assert first == [WILD, "", "", *[NOT_RUN] * 5]
    assert second == ["plain", "", "", *[NOT_RUN] * 5]
    assert third[:4] == ["Gemini3-Pro-ImgCoder", "published", "", "1.82"]
    assert made[0].grid(Section.TEXT).lines == ()


def test_csv_reads_back_to_the_cells(made: list[Board]) -> None:
    lines = list(csv.DictReader(io.StringIO(csv_text(made))))
    cells = {(x["split"], x["generator"], x["metric"]): x for x in lines}
    assert len(cells) == len(lines)
    for board in made:
        for row in board.rows:
            for key in BY_KEY:
                line, cell = cells[str(board.split), row.name, key], row.cells.get(key)
                if cell is None:
                    assert (line["value"], line["low"], line["high"], line["n"]) == ("", "", "", "")
                    continue
                assert float(line["value"]) == cell.value
                assert line["n"] == ("" if cell.n is None else str(cell.n))
                assert [line["low"], line["high"]] == ["" if v is None else str(v) for v in (cell.low, cell.high)]
    assert cells["all", WILD, "r_inv"]["mark"] == "best"
    assert float(cells["all", WILD, "r_inv[subject=Math]"]["value"]) == 0.75
    assert cells["all", "qwen_image", "r_inv"]["kind"] == "published"


def test_markdown_tables_are_rectangular_and_bold_only_the_best(made: list[Board]) -> None:
    text = markdown(made)
    blocks = re.findall(r"(?:^\|.*\|$\n)+", text, re.MULTILINE)
    assert blocks
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block
    right = text.split("### Right or wrong")[1].split("###")[0]
    assert "**75.0** [55.1, 88.0]" in right
    assert right.count("**") == 2 * right.count("**75.0**")
    assert r"50%\_\<b>&{x}\|$" in right


class Tables(HTMLParser):
    """Texts of all rows of all tables, and every tag that was opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.values: list[str] = []
        self.within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.within = True

    def handle_endtag(self, tag: str) -> None:
        self.within = self.within and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.within:
            self.tables[-1][-1][-1] += data


def test_html_holds_every_cell_and_asks_for_no_other_file(made: list[Board]) -> None:
    page = Tables(html(made))
    table = next(t for t in page.tables if t[0][0] == "generator" and "R_inv (%) ↑" in t[0])
    for row in table:
        assert len(row) == len(table[0])
    by_name = {row[0].strip(): row for row in table}
    assert by_name[WILD][3].strip() == "75.0[55.1, 88.0]"
    assert by_name["Nanobanana-Pro published"][3].strip() == "73.4"
    assert by_name["Nanobanana-Pro published"][4].strip() == NOT_RUN
    assert not [t for t, a in page.tags if "src" in a or "href" in a or t == "link"]
    bold = [t for t, _ in page.tags].count("b")
    assert bold == 1 + sum(c.mark == "best" for b in made for r in b.rows for c in r.cells.values())


def test_whiskers_span_the_columns_range(made: list[Board]) -> None:
    grid = made[0].grid(Section.RIGHT)
    column = grid.headers.index("R_inv (%) ↑")
    ends = [whisker(grid, column, line.texts[column]) for line in grid.lines]
    assert [ends[0] and ends[0][2], ends[1] and ends[1][0]] == [100.0, 0.0]
    assert ends[2:] == [None] * 11


def test_latex_escapes_what_latex_would_trip_over() -> None:
    assert tex_escape("a_b & 5 % {x}^2 \\ ≈ –") == (
        r"a\_b \& 5 \% \{x\}\textasciicircum{}2 \textbackslash{} $\approx$ --"
    )


def test_latex_tables_are_rectangular(made: list[Board]) -> None:
    text = latex(made)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == text.count(r"\toprule")
    for body in re.findall(r"\\begin\{tabular\}\{l(r+)\}\n(.*?)\\end\{tabular\}\}", text, re.DOTALL):
        for line in body[1].splitlines():
            if line.rstrip().endswith(r"\\"):
                assert len(re.findall(r"(?<!\\)&", line)) == len(body[0])
    assert r"{@{}r@{}}\textbf{75.0}\\{\scriptsize [55.1, 88.0]}\end{tabular}" in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_compiles(made: list[Board], tmp_path: Path) -> None:
    write_all(made, tmp_path)
    (tmp_path / "page.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\usepackage{graphicx}\n"
        "\\begin{document}\\input{leaderboard.tex}\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 1000
