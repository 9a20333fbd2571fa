"""Where the framework finds the environment's event loop, which it shares with the runtime."""

from __future__ import annotations

from ..runtime.event_loop import EnvironmentLoop, environment_loop

__all__ = ["EnvironmentLoop", "environment_loop"]
