"""Each hostile script is contained: with and without namespaces, as this user and as another.

What the scripts of the corpus reach for is there for real: a folder anybody may write to, a TCP and an abstract Unix
socket that listen, a key in the environment. One test shows that without walls they get it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import other_user
import psutil
import pytest
from forged_replies import FORGED
from hostile_scripts import CORPUS, OVER, Attack
from own_attacks import OWN

from scigen.records import Status
from scigen.rendering import Limits, Rendering, RenderPool

HOSTILE, GOOD = (other_user.SHARED / "render_corpus" / kind for kind in ("hostile", "good"))
needs_corpus = pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"no script corpus at {HOSTILE.parent}")
CONTAIN = Path(__file__).with_name("contain.py")
OURS = {**OWN, **FORGED}
KEY = "sk-canary-5871"
SECRET = "secret of the lab of test_hostile.py"
TIMEOUT_S = 4.0  # on two cores beside two other test processes
GROWTH_MB = 80.0
"""What a zygote may keep after hostile scripts: the room of two copies of the largest reply, which others use again."""


def source(name: str) -> str:
    return (HOSTILE / f"{name}.py").read_text()


def is_contained(attack: Attack, status: str, message: str) -> bool:
    return status in attack.expected and "LEAK" not in message


@dataclass
class Lab:
    """The places that the corpus' scripts name, made for real."""

    canary: Path
    listeners: list[socket.socket]

    def connections(self) -> int:
        """Made since the last call."""
        count = 0
        for listener in self.listeners:
            with contextlib.suppress(BlockingIOError):
                while True:
                    listener.accept()[0].close()
                    count += 1
        return count

    def files(self) -> dict[str, str]:
        """Path to content, of all that the scripts might have written."""
        shared = Path("/dev/shm")
        paths = [*self.canary.rglob("*"), *shared.glob("*canary*")]
        names = os.listdir(sysconfig.get_path("purelib"))
        return {**{str(p): p.read_text() for p in paths}, **dict.fromkeys(names, "")}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    canary = Path(found(r"'(/.*/canary)/", source("06_write_outside")))
    port = int(found(r"'127.0.0.1', (\d+)", source("10_socket_tcp")))
    name = found(r"'\\0(\w+)'", source("12_socket_abstract_unix"))
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(("127.0.0.1", port))  # fails while another run of these tests has the lab
        unix.bind("\0" + name)
        for listener in (tcp, unix):
            listener.listen(64)
            listener.setblocking(False)
        secret = canary / "secret.txt"
        if secret.exists() and secret.read_text() == SECRET:
            shutil.rmtree(canary)  # of a run that was killed
        made = [p for p in (canary, *canary.parents) if not p.exists()]
        canary.mkdir(parents=True)
        canary.chmod(0o777)
        secret.write_text(SECRET)
        yield Lab(canary, [tcp, unix])
        shutil.rmtree(canary)
        for path in made[1:]:
            path.rmdir()


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[1]


@needs_corpus
@pytest.mark.parametrize(
    "name",
    [
        *("06_write_outside", "09_read_env_key", "10_socket_tcp", "12_socket_abstract_unix", "13_os_system"),
        *("15_ctypes_syscall_open", "18_odd_syscalls", "27_kill_all_sig0", "46_list_root"),
    ],
)
def test_without_walls_a_hostile_script_gets_what_it_is_after(lab: Lab, tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", source(name)],
        cwd=tmp_path,
        env={"FAKE_API_KEY": KEY, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert "RuntimeError: LEAK:" in done.stderr
    if "socket" in name:
        assert lab.connections() == 1
    for path in lab.canary.iterdir():
        if path.name != "secret.txt":
            path.unlink()


@pytest.fixture(scope="module", params=[True, False], ids=["namespaces", "bare"])
def pool(request: pytest.FixtureRequest) -> Iterator[RenderPool]:
    with RenderPool(1, Limits(timeout_s=5.0, memory_mb=512), namespaces=request.param) as pool:
        yield pool


@pytest.mark.parametrize("name", [name for name, attack in OURS.items() if OVER not in attack.expected])
@pytest.mark.slow
def test_our_own_hostile_scripts_are_contained(pool: RenderPool, name: str, full: bool) -> None:
    if HOSTILE.is_dir() and not full:
        pytest.skip("they are drawn below, beside the corpus")
    zygote = pool._all[0].process.pid
    r = pool.draw(OURS[name].source)
    assert is_contained(OURS[name], r.status, r.error.message if r.error else ""), (OURS[name].property, r)
    assert (r.status is Status.OK) == (r.png is not None)
    honest = pool.draw("import os, matplotlib.pyplot as plt\nassert os.listdir('.') == []\nplt.plot([1, 2])")
    assert honest.status is Status.OK, honest.error
    assert pool._all[0].process.pid == zygote


@pytest.mark.slow
def test_large_replies_do_not_add_up_in_the_zygote(pool: RenderPool) -> None:
    flood = "import os, struct\nos.write(3, struct.pack('<II', 9, 30 << 20))\nos.write(3, bytes(31 << 20))\n"
    replies = [flood, OURS["forged_nesting"].source, OURS["forged_drawing"].source]
    zygote, held = psutil.Process(pool._all[0].process.pid), []
    for _ in range(4):
        assert [pool.draw(reply).status is Status.BAD_IMAGE for reply in replies] == [True, True, False]
        memory = zygote.memory_info()
        held.append((memory.rss - memory.shared) / 2**20)
    assert max(held[2:]) < max(held[:2]) + 8, "MiB after each turn"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Both users with and without namespaces; without `--full` each user and each kind of walls once."""
    if "report" not in metafunc.fixturenames:
        return
    ways = [(user, namespaces) for user in (None, other_user.UID) for namespaces in (True, False)]
    if not metafunc.config.getoption("full"):
        other = None if other_user.why_not(other_user.UID) else other_user.UID
        ways = [(None, True), (other, False)]
    names = [f"{'other_user' if user else 'this_user'}-{'namespaces' if wall else 'bare'}" for user, wall in ways]
    metafunc.parametrize("report", ways, ids=names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def report(request: pytest.FixtureRequest, lab: Lab) -> dict[str, Any]:
    """What `contain` says of all scripts in one configuration, and what the lab saw."""
    uid, namespaces = request.param
    if uid is not None and (why := other_user.why_not(uid)):
        pytest.skip(why)
    scripts = {**{name: source(name) for name in CORPUS}, **{name: a.source for name, a in OURS.items()}}
    order = {"namespaces": namespaces, "timeout_s": TIMEOUT_S, "scripts": scripts}
    lab.connections()
    before = lab.files()
    with other_user.home(uid) as home:
        done = subprocess.run(
            other_user.command(uid, CONTAIN, str(home)),
            input=json.dumps(order),
            env={**os.environ, "FAKE_API_KEY": KEY},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["uid"] == (os.getuid() if uid is None else uid)
    assert namespaces or result["confinement"] == "none"
    return {**result, "connections": lab.connections(), "same_files": lab.files() == before, "all": done.stdout}


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("name", [*CORPUS, *OURS])
def test_a_hostile_script_is_contained(report: dict[str, Any], name: str) -> None:
    attack = {**CORPUS, **OURS}[name]
    result = report["results"][name]
    message = result["error"]["message"] if result["error"] else ""
    assert is_contained(attack, result["status"], message), (attack.property, result)
    assert result["storable"]
    assert len(message) <= 2000
    assert result["texts"] <= 1000
    assert result["seconds"] < TIMEOUT_S + 10


@needs_corpus
@pytest.mark.slow
def test_every_hostile_script_of_the_corpus_has_its_property() -> None:
    assert {f.stem for f in HOSTILE.glob("*.py")} == set(CORPUS)
    assert len(CORPUS) == 34


@needs_corpus
@pytest.mark.slow
def test_no_key_is_in_any_result(report: dict[str, Any]) -> None:
    assert KEY not in report["all"]


@needs_corpus
@pytest.mark.slow
def test_nobody_was_connected_to(report: dict[str, Any]) -> None:
    assert report["connections"] == 0


@needs_corpus
@pytest.mark.slow
def test_no_file_is_left(report: dict[str, Any]) -> None:
    assert report["same_files"], "the canary's folder, the libraries or the shared memory"
    assert (report["work_files"], report["files_at_the_end"]) == ([], [])


@needs_corpus
@pytest.mark.slow
def test_no_process_is_left(report: dict[str, Any]) -> None:
    assert report["processes_beside_zygotes"] == []
    assert report["processes_at_the_end"] == []


@needs_corpus
@pytest.mark.slow
def test_the_zygotes_survive_and_hold_no_more_memory(report: dict[str, Any]) -> None:
    assert report["zygotes_alive"]
    assert report["zygotes_same"]
    assert max(report["grown_mb"]) < GROWTH_MB


@needs_corpus
@pytest.mark.slow
def test_the_next_render_is_byte_identical(report: dict[str, Any]) -> None:
    (before,) = report["before"]
    assert re.fullmatch("[0-9a-f]{64}", before), before
    assert report["between"] == report["after"] == [before]


@needs_corpus
@pytest.mark.slow
def test_many_scripts_of_both_kinds_lose_nothing(full: bool) -> None:
    count = 200 if full else 60
    good = {file.stem: file.read_text() for file in GOOD.glob("*.py")}
    attacks = {**CORPUS, **{name: OURS[name] for name in ("deep_folders", "writes_on", "forged_drawing", "no_exit")}}
    dice = random.Random(5871)
    names = [dice.choice(sorted(good) if dice.random() < 0.5 else sorted(attacks)) for _ in range(count)]
    assert 0.3 * count < sum(name in good for name in names) < 0.7 * count
    texts = (good.get(name) or attacks[name].source or source(name) for name in names)
    with RenderPool(2, Limits(timeout_s=6.0, memory_mb=1024)) as pool:
        zygotes = [worker.process.pid for worker in pool._all]
        results: dict[int, Rendering] = dict(pool.as_completed(texts))
        assert [worker.process.pid for worker in pool._all] == zygotes
    assert sorted(results) == list(range(count))
    pictures: dict[str, set[str]] = {}
    for number, r in results.items():
        name = names[number]
        expected = (Status.OK,) if name in good else attacks[name].expected
        assert r.status in expected, (name, r)
        if name in good:
            pictures.setdefault(name, set()).add(hashlib.sha256(r.png or b"").hexdigest())
    assert all(len(hashes) == 1 for hashes in pictures.values()), "a number belongs to another script"
    assert len(set.union(*pictures.values())) == len(pictures)
