"""Vendors' SDKs as judges of what we encode. One server serves all of a worker's tests."""

from collections.abc import Iterator

import pytest

from judge import Judge, judging


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    with judging() as server:
        yield server
