"""Deploying: from a project's folder to what AWS Lambda takes. Nothing here is imported, or packed, in Lambda."""

from __future__ import annotations

from .._door import door

_HOMES = {"BuildError": "errors", "Report": "report", "Settings": "settings", "build": "build"}

__all__ = ["BuildError", "Report", "Settings", "build"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .build import build
    from .errors import BuildError
    from .report import Report
    from .settings import Settings

__getattr__, __dir__ = door(__name__, _HOMES)
