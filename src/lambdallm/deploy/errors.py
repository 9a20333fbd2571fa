"""What stops a build. Nothing has been written when one of these is raised."""

from __future__ import annotations

from ..llm.errors import ConfigurationError


class BuildError(ConfigurationError):
    """The project, its dependencies or this machine don't give a package that would run on Lambda."""
