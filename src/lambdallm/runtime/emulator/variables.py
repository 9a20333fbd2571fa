"""The environment variables of a function's process: Lambda's, on a clean base.

Source: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html. Whose word counts is what AWS's Runtime
Interface Emulator does (`rapidcore/env`): the platform's over the function's, except for the region and the keys, which
only the caller can know here.
"""

from __future__ import annotations

import os
import sys

from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .function import Function

GIVEN = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def variables(function: Function, *, api: str, region: str, stream: str, scratch: str | None) -> dict[str, str]:
    """All that the process sees. `scratch` is the folder for temporary files where `/tmp` is not private."""
    base = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    platform = _platform(function, api, stream) | ({"TMPDIR": scratch} if scratch else {})
    located = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    return base | located | dict(function.shell) | dict(function.environment) | platform


def _platform(function: Function, api: str, stream: str) -> dict[str, str]:
    return {
        "TZ": ":UTC",
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": function.code,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if function.snapstart else "on-demand",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": api,
    }


def check(environment: Mapping[str, str], most_bytes: int) -> None:
    """Raise `ConfigurationError` where a function's own variables are larger than Lambda takes, or promise too much."""
    if "AWS_LAMBDA_MAX_CONCURRENCY" in environment:
        raise ConfigurationError(
            "AWS_LAMBDA_MAX_CONCURRENCY is set by Lambda, on Managed Instances, which are not emulated: an environment "
            "here works on one invocation at a time. Leave it out, and give the function its `concurrency`."
        )
    measured = sum(len(name.encode()) + len(value.encode()) for name, value in environment.items())
    if measured > most_bytes:
        raise ConfigurationError(
            f"The environment variables have {measured} bytes; Lambda takes {most_bytes} of them. "
            "Keep long values in Parameter Store, Secrets Manager or a file of the package."
        )
