"""The project's settings: `lambdallm.yaml` (or `.yml`, `.json`), below the environment's variables and below code.

    from lambdallm.core.config import load_config

`project` says what applies, `reading` checks and merges any file of settings, `document` knows lines and columns,
`fields` is the table of what may be said, `kinds` checks it, `variables` fills in `${NAME}`, `schema` tells editors,
`parts` makes sessions and middleware of it, `secrets` reads what is kept elsewhere.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "Config": "project",
    "ConfigFileError": "reading",
    "FILES": "project",
    "config_path": "project",
    "config_schema": "schema",
    "load_config": "project",
    "middleware_of": "parts",
    "project_config": "project",
    "project_parts": "parts",
    "secret": "secrets",
    "session_of": "parts",
}

__all__ = [
    "FILES",
    "Config",
    "ConfigFileError",
    "config_path",
    "config_schema",
    "load_config",
    "middleware_of",
    "project_config",
    "project_parts",
    "secret",
    "session_of",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import middleware_of, project_parts, session_of
    from .project import FILES, Config, config_path, load_config, project_config
    from .reading import ConfigFileError
    from .schema import config_schema
    from .secrets import secret

__getattr__, __dir__ = door(__name__, _HOMES)
