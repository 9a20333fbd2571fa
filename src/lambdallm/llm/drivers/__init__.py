"""What performs a flow's effects: `Driver` for functions without an event loop, `AsyncDriver` for those with.

Both do the same things in the same order; only waiting differs. A driver owns what a flow opens and starts, and lets go
of it however the flow ends.
"""

from __future__ import annotations

from ..._door import door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .awaiting import AsyncDriver, shared_async_driver
    from .blocking import Driver, shared_driver

__all__ = ["AsyncDriver", "Driver", "shared_async_driver", "shared_driver"]

_HOMES = {
    "Driver": "blocking",
    "shared_driver": "blocking",
    "AsyncDriver": "awaiting",
    "shared_async_driver": "awaiting",
}

__getattr__, __dir__ = door(__name__, _HOMES)
