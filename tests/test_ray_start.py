"""A slow start of Ray is tried again, nothing else is."""

from __future__ import annotations

import pytest

from scigen.ray_start import patiently


class Starts:
    """Fails as often as told, with this message."""

    def __init__(self, times: int, message: str) -> None:
        self.left, self.message, self.calls = times, message, 0

    def __call__(self) -> None:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise Exception(self.message)


@pytest.mark.parametrize(("times", "calls"), [(0, 1), (1, 2), (2, 3)])
def test_a_node_that_is_too_slow_is_started_again(times: int, calls: int) -> None:
    start = Starts(times, "The current node timed out during startup. This could happen because ...")
    patiently(start)
    assert start.calls == calls


@pytest.mark.parametrize(("message", "calls"), [("The current node timed out during startup.", 3), ("no memory", 1)])
def test_then_the_error_passes(message: str, calls: int) -> None:
    start = Starts(9, message)
    with pytest.raises(Exception, match=message):
        patiently(start)
    assert start.calls == calls
