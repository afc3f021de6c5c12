"""What a run's validations come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from scigen.app.scores import read_all
from scigen.errors import ScigenError


def test_a_run_without_a_validation_says_which_setting_to_change(tmp_path: Path) -> None:
    with pytest.raises(ScigenError, match=r"verl has validated nothing.*test_freq"):
        read_all(tmp_path / "generations")
