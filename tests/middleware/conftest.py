"""Every test of middleware runs in functions that block and in those that are awaited."""

import pytest

from .worlds import Place


@pytest.fixture(params=[False, True], ids=["blocking", "awaiting"])
def place(request):
    return Place(request.param)
