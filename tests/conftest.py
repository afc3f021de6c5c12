"""One option for all tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="as many items and kills as the published figures had")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether to take the sizes of the published figures, rather than those that leave `make test` below 25 minutes."""
    return bool(request.config.getoption("full"))
