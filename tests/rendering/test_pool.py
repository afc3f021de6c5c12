"""Every script gets one status; nothing of it reaches the next script, the parent or the disk."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from PIL import Image

from scigen.records import Status
from scigen.rendering import Limits, Rendering, RenderPool

ROOT = Path(__file__).resolve().parents[2]

LINE = "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(2, 1), dpi=100)\nax.plot([1, 2])\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    os.environ["SCIGEN_TEST_API_KEY"] = "sk-canary-1234"
    with RenderPool(1, Limits(timeout_s=5.0, memory_mb=512)) as pool:
        yield pool
    os.environ.pop("SCIGEN_TEST_API_KEY", None)


def message(r: Rendering) -> str:
    assert r.error is not None
    return r.error.message


def zygote_of(pool: RenderPool) -> psutil.Process:
    return psutil.Process(pool._all[0].process.pid)


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.01)


@pytest.mark.parametrize("ending", ["plt.show()", "fig.savefig('a.png')", "", "plt.show()\nimport sys; sys.exit(0)"])
def test_the_figure_is_kept_however_the_script_ends_at_its_own_size(pool: RenderPool, ending: str) -> None:
    r = pool.draw(LINE + ending)
    assert (r.status, r.width, r.height) == (Status.OK, 200, 100)
    assert r.png is not None
    image = Image.open(BytesIO(r.png))
    assert image.size == (200, 100)
    assert "Software" not in image.info


def test_a_figure_closed_after_savefig_is_what_savefig_wrote(pool: RenderPool) -> None:
    r = pool.draw(LINE + "plt.savefig('a.png', dpi=50)\nplt.close('all')\n")
    assert (r.status, r.width, r.height) == (Status.OK, 100, 50)


def test_the_canvas_is_cropped_only_when_the_script_asks(pool: RenderPool) -> None:
    text = "import matplotlib.pyplot as plt\nfig = plt.figure(figsize=(4, 4), dpi=100)\nfig.text(.5, .5, 'x')\n"
    assert pool.draw(text + "plt.show()").width == 400
    cropped = pool.draw(text + "fig.savefig('a.png', bbox_inches='tight')").width
    assert cropped is not None
    assert cropped < 60


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("x = 1", Status.BLANK),
        ("import matplotlib.pyplot as plt\nplt.figure()\nplt.show()", Status.BLANK),
        ("1 / 0", Status.CODE_ERROR),
        ("import os; os._exit(0)", Status.CODE_ERROR),
        ("import ctypes; ctypes.string_at(0)", Status.CODE_ERROR),
        ("import sys; sys.exit(3)", Status.CODE_ERROR),
        ("b = [bytearray(64 << 20) for _ in range(100)]", Status.MEMORY),
        ("import numpy as np; np.ones(5 * 10**8)", Status.MEMORY),
        (LINE + "fig.savefig('a.png', dpi=5000)", Status.BAD_IMAGE),
        ("import os, struct; os.write(3, struct.pack('<II', 2, 4) + b'{}' + b'FAKE'); os._exit(0)", Status.BAD_IMAGE),
        ("import os; os.write(3, b'\\xff' * 9); os._exit(0)", Status.CODE_ERROR),
        (
            'import os, struct\nj = b\'{"outcome": "drawn"}\'\n'
            "os.write(3, struct.pack('<II', len(j), 12) + j + b'\\x89PNG\\r\\n\\x1a\\nFAKE')\nos._exit(0)",
            Status.BAD_IMAGE,
        ),
    ],
)
def test_each_end_has_its_status_and_no_image(pool: RenderPool, script: str, status: Status) -> None:
    r = pool.draw(script)
    assert (r.status, r.png, r.width) == (status, None, None)
    assert r.error is not None


def test_an_error_tells_type_message_line_and_last_output(pool: RenderPool) -> None:
    error = pool.draw("print('so far')\n\ndef f():\n    raise ValueError('bad angle')\nf()\n").error
    assert error is not None
    assert (error.type, error.message, error.line, error.stdout) == ("ValueError", "bad angle", 4, "so far\n")
    syntax = pool.draw("x = 1\ny = (").error
    assert syntax is not None
    assert (syntax.type, syntax.line) == ("SyntaxError", 2)


def test_a_script_over_time_is_stopped_by_the_wall_clock() -> None:
    with RenderPool(1, Limits(timeout_s=0.5)) as pool:
        for script in ("while True: pass", "import time; time.sleep(600)", "import os; os.close(3)\nwhile True: pass"):
            start = time.monotonic()
            assert pool.draw(script).status in (Status.TIMEOUT, Status.CODE_ERROR)
            assert time.monotonic() - start < 30
        assert pool.draw(LINE).status is Status.OK


def test_no_key_of_the_parent_reaches_a_script(pool: RenderPool) -> None:
    script = "import os\nprint(dict(os.environ))\nprint(open('/proc/self/environ').read())"
    r = pool.draw(script)
    assert r.error is not None
    assert r.error.type in ("PermissionError", "FileNotFoundError")
    assert "MPLBACKEND" in r.error.stdout
    assert "canary" not in r.error.stdout
    zygote = zygote_of(pool)
    assert zygote.environ()["PYTHONHASHSEED"] == "0"
    assert "SCIGEN_TEST_API_KEY" not in zygote.environ()


@pytest.mark.parametrize(
    "act",
    [
        "open('/etc/passwd').read()",
        f"open({str(ROOT / 'pyproject.toml')!r}).read()",
        "os.listdir('/')",
        "open('/dev/shm/scigen', 'w')",
        "socket.socket()",
        "os.fork()",
        "os.kill(os.getppid(), 0)",
        "subprocess.run(['/bin/true'])",
        "os.execv('/bin/true', ['true'])",
        "os.symlink('/etc/passwd', 'a.png')",
    ],
)
def test_the_sandbox_refuses(pool: RenderPool, act: str) -> None:
    r = pool.draw(f"import os, socket, subprocess\n{act}\n")
    assert r.error is not None
    assert r.error.type in ("PermissionError", "FileNotFoundError", "OSError"), r.error  # one wall or the other


def test_nothing_leaks_from_one_script_into_the_next(pool: RenderPool) -> None:
    before = pool.draw(LINE).png
    dirty = "plt.rcParams['lines.linewidth'] = 9\nplt.style.use('dark_background')\nopen('left.txt', 'w').write('x')\n"
    assert pool.draw(LINE + dirty + "import builtins; builtins.sum = None").status is Status.OK
    r = pool.draw("import os\nassert sum([1]) == 1 and os.listdir('.') == [], os.listdir('.')\n" + LINE)
    assert r.status is Status.OK, r.error
    assert r.png == before


def test_two_pools_draw_the_same_bytes(pool: RenderPool) -> None:
    script = "import numpy as np, random\n" + LINE + "ax.set_title(r'$\\theta$')\n"
    script += "ax.plot(np.random.rand(5), np.random.default_rng().random(5))\nax.text(random.random(), .5, 'a')\n"
    script += "for i, c in enumerate({'red', 'green', 'blue'}): ax.plot([i, 2], color=c)"
    first = pool.draw(script)
    with RenderPool(2) as other:
        hashes = {hashlib.sha256(r.png or b"").hexdigest() for r in [first, *other.map([script] * 4)]}
    assert first.status is Status.OK
    assert len(hashes) == 1


def test_map_keeps_the_order_and_takes_scripts_as_needed(pool: RenderPool) -> None:
    taken = 0

    def scripts() -> Iterator[str]:
        nonlocal taken
        for i in range(1000):
            taken += 1
            yield f"import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1)).text(.1, .5, '{i}')"

    results = pool.map(scripts())
    assert [next(results).texts[0].text for _ in range(8)] == [str(i) for i in range(8)]
    assert taken <= 8 + 4 * pool.workers
    results.close()  # type: ignore[attr-defined]
    assert pool.draw(LINE).status is Status.OK


@pytest.mark.slow
def test_a_killed_zygote_is_replaced_and_the_script_drawn() -> None:
    with RenderPool(1) as pool:
        zygote = zygote_of(pool)
        with ThreadPoolExecutor(1) as thread:
            first = thread.submit(pool.draw, LINE + "import time; time.sleep(1)")
            wait_for(zygote.children)
            zygote.send_signal(signal.SIGKILL)
            assert first.result().status is Status.OK
        assert pool.draw(LINE).status is Status.OK
        assert zygote_of(pool).pid != zygote.pid


@pytest.mark.slow
def test_a_killed_parent_leaves_no_process_and_no_folder() -> None:
    script = """
from scigen.rendering import Limits, RenderPool
with RenderPool(2, Limits(timeout_s=300)) as pool:
    print(pool._folder, flush=True)
    list(pool.map(["import time; time.sleep(300)"] * 2))
"""
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    folder = Path(parent.stdout.readline().strip())
    started = psutil.Process(parent.pid)
    wait_for(lambda: len(started.children(recursive=True)) >= 4)  # two zygotes with a child each
    left = started.children(recursive=True)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(left, timeout=60)
    assert not alive
    assert not folder.exists()


def test_the_unsafe_pool_lifts_the_sandbox_and_keeps_the_clean_environment() -> None:
    os.environ["SCIGEN_TEST_API_KEY"] = "sk-canary-1234"
    with RenderPool(1, unsafe=True) as pool:
        r = pool.draw("import os\nopen('/proc/self/status').read()\nassert 'canary' not in str(os.environ)\n" + LINE)
    assert r.status is Status.OK, r.error
