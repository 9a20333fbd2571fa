"""Whether an event loop runs here, asked while other threads are at their imports."""

import sys
from types import ModuleType

from both_drivers import awaiting, blocking
from lambdallm.llm.backends.aside import loop_runs_here


def asked():
    yield from ()
    return loop_runs_here()


def test_a_loop_runs_under_the_asynchronous_driver_alone():
    assert (blocking(asked()), awaiting(asked())) == (False, True)


def test_no_loop_runs_while_asyncio_is_being_imported(monkeypatch):
    """Another thread's `import redis` has put it among the modules, still empty."""
    monkeypatch.setitem(sys.modules, "asyncio", ModuleType("asyncio"))
    assert loop_runs_here() is False
