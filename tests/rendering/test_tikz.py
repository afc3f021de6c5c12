"""LaTeX with TikZ: drawn like a Matplotlib script, told what was wrong with it, and contained like one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from scigen.errors import ScigenError
from scigen.glassbox.tokens import tokens
from scigen.records import Status
from scigen.rendering import Limits, Rendering, RenderPool, languages, tikz, tikz_source

ROOT = Path(__file__).resolve().parents[2]
LACKS = [name for name in ("pdflatex", "kpsewhich", *tikz.CONVERTERS) if not tikz.found()[name]]
needs_tex = pytest.mark.skipif(bool(LACKS), reason=f"no {', '.join(LACKS)} here: TikZ cannot be drawn")

SQUARE = r"\draw (0,0) rectangle (2.54,1.27);"
DOCUMENT = "\\documentclass[tikz]{standalone}\n\\begin{document}\n%s\n\\end{document}\n"
PLAIN = "\\documentclass{article}\n%s\n\\begin{document}\n\\pagestyle{empty}\n%s\nx\n\\end{document}\n"


@pytest.fixture(scope="module", params=["namespaces", "Landlock and seccomp only"])
def pool(request: pytest.FixtureRequest) -> Iterator[RenderPool]:
    os.environ["SCIGEN_TEST_API_KEY"] = "sk-canary-1234"
    limits = Limits(timeout_s=10.0, memory_mb=512)
    with RenderPool(1, limits, namespaces=request.param == "namespaces", language="tikz") as pool:
        yield pool
    os.environ.pop("SCIGEN_TEST_API_KEY", None)


def message(r: Rendering) -> str:
    assert r.error is not None
    return r.error.message


@needs_tex
@pytest.mark.parametrize(
    "script",
    [
        SQUARE,
        f"\\begin{{scope}}[rotate=180]\n{SQUARE}\n\\end{{scope}}",
        f"\\begin{{tikzpicture}}\n{SQUARE}\n\\end{{tikzpicture}}",
        f"\\usetikzlibrary{{calc}}\n\\begin{{tikzpicture}}\n{SQUARE}\n\\end{{tikzpicture}}",
        f"\\usepackage{{xcolor}}\n\\begin{{tikzpicture}}\n{SQUARE}\n\\end{{tikzpicture}}",
        DOCUMENT % f"\\begin{{tikzpicture}}\n{SQUARE}\n\\end{{tikzpicture}}",
        f"\\documentclass{{standalone}}\\usepackage{{tikz}}\n\\begin{{document}}\n\\tikz{{{SQUARE}}}\n\\end{{document}}",
    ],
)
@pytest.mark.slow
def test_the_inside_of_a_picture_a_picture_and_a_document_give_the_same_picture(pool: RenderPool, script: str) -> None:
    r = pool.draw(script)
    # 1 in by 1/2 in at 200 dpi, and around it half a line (0.2 pt) and the border of the class (0.5 bp)
    assert (r.status, r.width, r.height) == (Status.OK, 204, 104), r.error
    assert r.png is not None
    image = Image.open(io.BytesIO(r.png)).convert("L")
    assert image.getpixel((102, 52)) == 255
    assert image.getpixel((2, 52)) < 200  # type: ignore[operator]


@needs_tex
@pytest.mark.slow
def test_the_border_of_the_class_is_kept(pool: RenderPool) -> None:
    script = DOCUMENT.replace("[tikz]", "[tikz,border=36bp]") % rf"\tikz{{{SQUARE}}}"
    r = pool.draw(script)
    assert (r.width, r.height) == (200 + 200 + 2, 100 + 200 + 2)


@needs_tex
@pytest.mark.slow
def test_a_document_keeps_its_page(pool: RenderPool) -> None:
    page = r"\pdfpagewidth=2in \pdfpageheight=3in \hoffset=-1in \voffset=-1in"
    r = pool.draw(PLAIN % (page, r"\noindent"))
    assert (r.status, r.width, r.height) == (Status.OK, 400, 600), r.error


@needs_tex
@pytest.mark.slow
def test_plots_circuits_and_positions_of_a_first_run_are_drawn(pool: RenderPool) -> None:
    axis = "\\begin{tikzpicture}\\begin{axis}\\addplot{x^2};\\end{axis}\\end{tikzpicture}"
    circuit = "\\begin{circuitikz}\\draw (0,0) to[R, l=$R_1$] (3,0);\\end{circuitikz}"
    assert [pool.draw(s).status for s in (axis, circuit)] == [Status.OK, Status.OK]
    two = "\\tikz[remember picture]\\node (a) {a};\\hskip 3cm\\tikz[remember picture]\\node (b) {b};"
    arrow = "\\begin{tikzpicture}[remember picture,overlay]\\draw[red,line width=3pt] (a) -- (b);\\end{tikzpicture}"
    r = pool.draw(two + arrow)
    assert r.png is not None
    image = Image.open(io.BytesIO(r.png)).convert("RGB")
    assert image.getpixel((image.width // 2, image.height // 2)) == (255, 0, 0)


@needs_tex
@pytest.mark.parametrize(
    ("script", "kind", "said", "line"),
    [
        ("\\draw (0,0) -- (1,1);\n\\draw (0,0) -- \\foo (1,1);", "TeX Error", "Undefined control sequence.", 2),
        ("\\draw[nonsense=3] (0,0) -- (1,1);", "Package pgfkeys Error", "/tikz/nonsense", 1),
        (DOCUMENT % "\\begin{nosuch}\n\\end{nosuch}", "LaTeX Error", "Environment nosuch undefined.", 3),
        (DOCUMENT % "\\usetikzlibrary{nosuch}", "Package tikz Error", "nosuch", 3),
        (PLAIN % ("\\usepackage{nosuch}[2020/01/01]", ""), "LaTeX Error", "File `nosuch.sty' not found.", 2),
        ("\\begin{tikzpicture}\n\\draw (0,0) -- (1,1);", "LaTeX Error", "tikzpicture", 2),
        ("\\draw (0,0) -- (1,1)\n\\draw (2,2);", "Package tikz Error", "semicolon", 2),
        ("\\node {a};\n\\errmessage{own words}", "TeX Error", "own words", 2),
        (DOCUMENT.replace("\\end{document}", "") % "x", "TeX Error", "Emergency stop.", None),
    ],
)
@pytest.mark.slow
def test_a_fault_is_told_with_its_kind_its_words_and_its_line(
    pool: RenderPool, script: str, kind: str, said: str, line: int | None
) -> None:
    r = pool.draw(script)
    assert r.error is not None
    assert r.status is Status.CODE_ERROR
    assert said in r.error.message
    assert (r.error.type, r.error.line) == (kind, line)
    assert "picture.tex" in r.error.stdout


@needs_tex
@pytest.mark.slow
def test_the_texts_of_the_page_come_with_their_boxes(pool: RenderPool) -> None:
    r = pool.draw(
        "\\draw[white] (0,0) rectangle (5.08,2.54);\n\\node at (2.54,1.27) {Torque $\\alpha$ \\& x};\n"
        "\\node at (0.3,0.3) {$A$};\n\\node at (0.8,0.3) {$B$};\n\\node at (4.4,0.3) {$m = 5\\,\\mathrm{kg}$};"
    )
    assert r.drawing is not None
    assert r.drawing.partial
    texts = {t.text: t for t in r.drawing.texts}
    assert {tokens(t) for t in texts} == {tokens(t) for t in ("Torque α & x", "A", "B", "m = 5 kg")}
    torque = texts["Torque α & x"]
    assert torque.size == pytest.approx(9.96, abs=0.05)  # TeX's 10 pt in 1/72 in
    assert (torque.box.cx, torque.box.cy) == pytest.approx((200, 101), abs=4)
    assert texts["A"].box.cx < texts["B"].box.cx < torque.box.cx


@needs_tex
@pytest.mark.parametrize(
    "script",
    [
        "\\begin{tikzpicture}\\end{tikzpicture}",
        DOCUMENT % "",
        "\\documentclass{article}\\begin{document}\\end{document}",
    ],
)
@pytest.mark.slow
def test_a_picture_of_nothing_is_blank(pool: RenderPool, script: str) -> None:
    assert pool.draw(script).status is Status.BLANK


@needs_tex
@pytest.mark.slow
def test_two_pools_give_the_same_bytes_also_for_chance_and_the_date(pool: RenderPool) -> None:
    script = (
        "\\foreach \\x in {1,...,9} \\draw (\\x,0) -- (\\x,rand);\n\\node {\\today, \\number\\time, "
        "\\number\\pdfuniformdeviate 1000000};"
    )
    with RenderPool(1, language="tikz") as other:
        a, b = pool.draw(script).png, other.draw(script).png
    assert a is not None
    assert a == b
    assert b"tIME" not in a
    assert b"1970" in b"".join(t.text.encode() for t in (pool.draw(script).drawing.texts))  # type: ignore[union-attr]


@needs_tex
@pytest.mark.slow
def test_a_picture_with_its_preamble_loaded_beforehand_is_the_one_of_the_whole_document(pool: RenderPool) -> None:
    picture = "\\node {$\\frac{\\alpha}{2}$};\n\\foreach \\x in {1,...,9} \\draw[-Latex] (\\x,0) -- (\\x,rand);"
    whole = pool.draw("%\n" + tikz_source.document(picture))
    assert whole.status is Status.OK, whole.error
    assert pool.draw(picture).png == whole.png


@needs_tex
@pytest.mark.slow
def test_no_shell_is_started(pool: RenderPool, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for how in (r"\immediate\write18{touch %s/a}", r'\input{|"touch %s/b"}', r"\input|'touch\space %s/c'\relax "):
        pool.draw(PLAIN % ("", how % tmp_path))
    assert list(tmp_path.iterdir()) == []


@needs_tex
@pytest.mark.parametrize(
    "look",
    [
        r"\openin5=%s \ifeof5 \immediate\write16{CLOSED}\else\immediate\write16{OPEN}\fi",
        r"\edef\a{\pdffilesize{%s}}\ifx\a\empty\immediate\write16{CLOSED}\else\immediate\write16{OPEN}\fi",
        r"\edef\a{\pdffiledump length 4{%s}}\ifx\a\empty\immediate\write16{CLOSED}\else\immediate\write16{OPEN}\fi",
    ],
)
@pytest.mark.slow
def test_files_of_the_host_the_project_and_a_home_cannot_be_read(pool: RenderPool, look: str, tmp_path: Path) -> None:
    (tmp_path / "canary.tex").write_text("secret")
    paths = ["picture.tex", "/etc/passwd", "../../../etc/passwd", ROOT / "pyproject.toml", tmp_path / "canary.tex"]
    r = pool.draw(PLAIN % ("", "\n".join(look % path for path in paths) + r"\errmessage{end of looks}"))
    assert "end of looks" in message(r)
    assert r.error is not None
    assert [w for w in r.error.stdout.split() if w in ("OPEN", "CLOSED")] == ["OPEN", *["CLOSED"] * 4]


@needs_tex
@pytest.mark.slow
def test_a_file_of_the_host_cannot_be_put_into_the_picture(pool: RenderPool, tmp_path: Path) -> None:
    Image.new("RGB", (9, 9), "red").save(tmp_path / "canary.png")
    for how in (r"\input{%s}", r"\includegraphics{%s}", r"\pdfximage{%s}", r"\pdfobj stream file {%s}\pdfrefobj 1 "):
        r = pool.draw(PLAIN % (r"\usepackage{graphicx}", how % (tmp_path / "canary.png")))
        assert r.status is Status.CODE_ERROR, how


@needs_tex
@pytest.mark.parametrize("where", ["{home}/evil.tex", "../evil.tex", "sub/evil.tex"])
@pytest.mark.slow
def test_files_are_written_in_the_work_folder_only(pool: RenderPool, where: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    write = r"\immediate\openout5=%s \immediate\write5{evil}\immediate\closeout5 "
    pool.draw(PLAIN % ("", write % where.format(home=tmp_path)))
    assert list(tmp_path.iterdir()) == []
    assert not list(pool._folder.rglob("evil*"))


@needs_tex
@pytest.mark.slow
def test_a_script_that_fills_its_folder_is_stopped(pool: RenderPool) -> None:
    write = r"\loop\immediate\write5{%s}\advance\count1 by 1 \ifnum\count1<40000 \repeat" % ("x" * 1000)
    r = pool.draw(PLAIN % ("", r"\immediate\openout5=big \count1=0 " + write))  # 40 MB, and 16 are allowed
    assert r.status is not Status.OK
    assert r.png is None
    assert pool.draw(SQUARE).status is Status.OK


@needs_tex
@pytest.mark.parametrize(
    ("name", "page", "status"),
    [
        ("picture.page.png", "", Status.OK),
        ("picture.words.html", "", Status.OK),
        ("picture.log", "", Status.OK),
        ("picture.page.png", r"\end{document}", Status.BLANK),
        ("picture.words.html", r"\end{document}", Status.BLANK),
        ("picture.pdf", r"\end{document}", Status.BAD_IMAGE),
    ],
)
@pytest.mark.slow
def test_forged_files_of_the_steps_are_not_taken_for_results(
    pool: RenderPool, name: str, page: str, status: Status
) -> None:
    write = r'\immediate\openout5=%s \immediate\write5{<word xMin="1" yMin="1" xMax="2" yMax="2">forged</word>}'
    r = pool.draw(PLAIN % ("", write % name + r"\immediate\closeout5 " + page))
    assert r.status is status, r.error
    assert r.drawing is None or [t.text for t in r.drawing.texts] == ["x"]


@needs_tex
@pytest.mark.parametrize("inches", [30, 100, 220])
@pytest.mark.slow
def test_a_huge_page_is_no_picture(pool: RenderPool, inches: int) -> None:
    r = pool.draw(PLAIN % (rf"\pdfpagewidth={inches}in \pdfpageheight={inches}in", ""))
    assert r.status is Status.BAD_IMAGE
    assert f"{inches * 200} x {inches * 200} px" in message(r)


@needs_tex
@pytest.mark.slow
def test_tex_runs_out_of_its_own_memory(pool: RenderPool) -> None:
    r = pool.draw(PLAIN % ("", r"\def\a{x}\loop\edef\a{\a\a}\iftrue\repeat"))
    assert r.status is Status.CODE_ERROR
    assert "TeX capacity exceeded" in message(r)
    assert r.error is not None
    assert r.error.line == 5


@pytest.fixture
def only_lualatex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pdflatex on PATH."""
    programs = {name: tikz.found()[name] for name in ("lualatex", "kpsewhich", *tikz.CONVERTERS)}
    if not all(programs.values()):
        pytest.skip(f"not all of {', '.join(programs)} are here")
    formats = subprocess.run(["kpsewhich", "-engine=luahbtex", "lualatex.fmt"], capture_output=True, check=False)
    if formats.returncode:
        pytest.skip("lualatex has no format here (Debian: texlive-luatex)")
    (tmp_path / "bin").mkdir()
    for name, path in programs.items():
        (tmp_path / "bin" / name).symlink_to(str(path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


LUA = r"""
local function say(open) texio.write_nl("log", open and "OPEN" or "CLOSED") end
local function may(f, ...) local ok, result = pcall(f, ...) return ok and result end
say(io.open("picture.tex"))
say(io.open("/etc/passwd"))
say(io.open("ROOT/pyproject.toml"))
say(io.open("CANARY/evil", "w"))
say(may(lfs.mkdir, "CANARY/evil"))
say(may(lfs.link, "/etc", "link", true))
say(may(os.execute, "touch CANARY/evil"))
say(may(io.popen, "touch CANARY/evil"))
say(may(os.exec, {"/bin/sh", "-c", "touch CANARY/evil"}))
say(os.getenv("SCIGEN_TEST_API_KEY"))
"""


@pytest.mark.usefixtures("only_lualatex")
@pytest.mark.parametrize("namespaces", [True, False])
@pytest.mark.slow
def test_lualatex_stands_in_for_pdflatex_and_its_lua_reaches_nothing(
    namespaces: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    canary.mkdir(mode=0o777)
    monkeypatch.setenv("SCIGEN_TEST_API_KEY", "sk-canary-1234")
    lua = LUA.replace("ROOT", str(ROOT)).replace("CANARY", str(canary))
    with RenderPool(1, namespaces=namespaces, language="tikz") as pool:
        r = pool.draw(SQUARE)
        assert (r.status, r.width, r.height) == (Status.OK, 204, 104), r.error
        r = pool.draw(PLAIN % ("", rf"\directlua{{{lua}}}\errmessage{{end of looks}}"))
        assert "end of looks" in message(r)
        assert r.error is not None
        assert [w for w in r.error.stdout.split() if w in ("OPEN", "CLOSED")] == ["OPEN", *["CLOSED"] * 9]
    assert list(canary.iterdir()) == []


@needs_tex
@pytest.mark.parametrize("namespaces", [True, False])
@pytest.mark.slow
def test_an_endless_script_is_ended_and_its_program_has_no_powers(namespaces: bool) -> None:
    os.environ["SCIGEN_TEST_API_KEY"] = "sk-canary-1234"
    limits = Limits(timeout_s=1.5)
    with RenderPool(1, limits, namespaces=namespaces, language="tikz") as pool:
        before = pool.draw(SQUARE).png
        future = pool.submit(PLAIN % ("", r"\def\a{\a}\a"))
        program = running(pool, "pdflatex")
        proc = Path(f"/proc/{program.pid}")
        state = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines())
        assert (state["Seccomp"], state["NoNewPrivs"]) == ("2", "1")
        assert [int(state[s], 16) for s in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0, 0, 0, 0]
        assert b"canary" not in (proc / "environ").read_bytes()
        opened = {os.readlink(fd) for fd in (proc / "fd").iterdir()}
        work = os.readlink(proc / "cwd")
        assert all(o.startswith(("pipe:", "/dev/null", work)) or "/texmf" in o for o in opened), opened
        assert sum(o.startswith("pipe:") for o in opened) == 1
        own_network = os.readlink(proc / "ns/net") != os.readlink("/proc/self/ns/net")
        assert own_network == (pool.confinement != "none")
        r = future.result()
        assert r.status is Status.TIMEOUT
        assert r.seconds < 15
        assert not program.is_running()
        assert psutil.Process(pool._all[0].process.pid).children() == []
        assert pool.draw(SQUARE).png == before
    os.environ.pop("SCIGEN_TEST_API_KEY", None)


def running(pool: RenderPool, name: str) -> psutil.Process:
    """The program of that name, once it has loaded its shared libraries."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in psutil.Process(pool._all[0].process.pid).children():
            try:
                if child.cmdline()[:1] and Path(child.cmdline()[0]).name == name and not loading(child.pid):
                    return child
            except (psutil.NoSuchProcess, FileNotFoundError):
                continue
        time.sleep(0.01)
    raise AssertionError(f"{name} was not seen")


def loading(pid: int) -> bool:
    return any(".so" in os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir())


WALLS = """
import os, sys
from pathlib import Path
from scigen.rendering import lockdown
from scigen.rendering.zygote import LOADERS
libraries = [Path(p) for p in ("/lib", "/lib64", "/usr/lib")]
work, command = Path(sys.argv[1]), sys.argv[2:]
rules = lockdown.landlock_ruleset(libraries, work, [Path("/bin/cat"), *map(Path, LOADERS)])
lockdown.no_new_privileges()
lockdown.landlock_restrict(rules)
lockdown.seccomp_restrict(lockdown.seccomp_program(execve=True))
os.execve(command[0], command, {})
"""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/bin/cat", "{work}/own"], "own words"),
        (["/bin/cat", "/etc/passwd"], "Permission denied"),
        (["/bin/cat", "/proc/self/environ"], "Permission denied"),
        (["/bin/ls", "{work}"], "PermissionError"),
        (["{work}/program"], "PermissionError"),
    ],
)
@pytest.mark.slow
def test_a_program_stays_behind_the_walls_and_is_one_of_those_allowed(
    command: list[str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "own").write_text("own words")
    (tmp_path / "program").write_bytes(Path("/bin/cat").read_bytes())
    (tmp_path / "program").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", WALLS, str(tmp_path), *(part.format(work=tmp_path) for part in command)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert said in done.stdout + done.stderr


def test_without_tex_the_message_names_what_is_missing_and_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert set(tikz.found().values()) == {None}
    with pytest.raises(
        ScigenError, match=r"pdflatex or lualatex, kpsewhich, pdftocairo, pdftotext.*texlive-latex-base"
    ):
        RenderPool(1, language="tikz")


@needs_tex
def test_an_installation_without_its_format_is_told_from_a_host_without_a_sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("kpsewhich", *tikz.CONVERTERS):
        (tmp_path / name).symlink_to(str(tikz.found()[name]))
    engine = tmp_path / "lualatex"  # a copy under a name for which there is no format
    engine.write_bytes(Path(str(tikz.found()["pdflatex"])).read_bytes())
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScigenError, match=r"trial drawing in tikz failed.*format"), RenderPool(1, language="tikz"):
        pass


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ScigenError, match="'povray'; there are matplotlib, tikz"):
        RenderPool(1, language="povray")
    assert set(languages.MODULES) == {"matplotlib", "tikz"}


def test_a_document_has_the_lines_of_its_script() -> None:
    script = "\\usepackage{xcolor}\n\\begin{tikzpicture}\n\\draw (0,0) -- (1,1);\n\\end{tikzpicture}"
    lines = tikz_source.document(script).splitlines()
    assert lines[1:4] == ["\\begin{document}\\begin{tikzpicture}", *script.splitlines()[2:]]
    assert tikz_source.document(DOCUMENT) == DOCUMENT
