"""Nothing that a training run has started outlives it."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from scigen.training.trainer import keeper

MARK = "SCIGEN_KEEPER_TEST"
KEEPER = [sys.executable, "-m", "scigen.training.trainer.keeper"]
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()  # as Ray's daemons do
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
os.wait()
"""


def marked(mark):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def wait_for(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def mark(request):
    mark = f"{os.getpid()}-{request.node.name}"
    yield mark
    for process in marked(mark):
        process.kill()


@pytest.mark.parametrize(("end", "status"), [("sys.exit(7)", 7), ("os.kill(os.getpid(), 9)", 137), ("", 0)])
def test_the_status_comes_back_and_the_daemon_is_gone(mark, end, status):
    command = [*KEEPER, str(os.getpid()), sys.executable, "-c", DAEMON + end]
    assert subprocess.run(command, env={**os.environ, MARK: mark}).returncode == status
    assert marked(mark) == []


STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def test_when_the_parent_is_killed_all_end_at_once(mark):
    code = STUBBORN + DAEMON + "time.sleep(1000)"
    start = (
        f"import subprocess, os; subprocess.run({KEEPER!r} + [str(os.getpid()), {sys.executable!r}, '-c', {code!r}])"
    )
    parent = subprocess.Popen([sys.executable, "-c", start], env={**os.environ, MARK: mark})
    assert wait_for(lambda: len(marked(mark)) >= 4), "parent, keeper, command, and the daemon or who starts it"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_for(lambda: marked(mark) == [], keeper.GRACE_S / 2)


@pytest.mark.parametrize("ends", ["", pytest.param(STUBBORN, marks=pytest.mark.slow)])
def test_told_to_end_it_lets_the_command_end_but_not_for_ever(mark, tmp_path, ends):
    clean = f"""
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (open({str(tmp_path / "f")!r}, "w"), sys.exit()))
"""
    code = (ends or clean) + DAEMON + f"open({str(tmp_path / 'ready')!r}, 'w'); time.sleep(1000)"
    running = subprocess.Popen([*KEEPER, str(os.getpid()), sys.executable, "-c", code], env={**os.environ, MARK: mark})
    assert wait_for((tmp_path / "ready").exists)
    running.terminate()
    assert running.wait(30) == 128 + signal.SIGTERM
    assert marked(mark) == []
    assert (tmp_path / "f").exists() is (ends == "")


def test_when_the_keeper_is_killed_the_command_ends(mark):
    command = [*KEEPER, str(os.getpid()), sys.executable, "-c", "import time; time.sleep(1000)"]
    running = subprocess.Popen(command, env={**os.environ, MARK: mark})
    assert wait_for(lambda: len(marked(mark)) == 2)
    running.kill()
    running.wait()
    assert wait_for(lambda: marked(mark) == [])


def test_a_keeper_whose_parent_is_gone_starts_nothing(mark, tmp_path):
    command = [*KEEPER, "1" if os.getpid() != 1 else "2", sys.executable, "-c", f"open({str(tmp_path / 'f')!r}, 'w')"]
    assert subprocess.run(command, env={**os.environ, MARK: mark}).returncode == 1
    assert not (tmp_path / "f").exists()
