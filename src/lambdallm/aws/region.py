"""Which AWS region to call.

Source: "AWS Region" in the AWS SDKs and Tools Reference Guide.
"""

from __future__ import annotations

from .errors import RegionNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def region(environ: Mapping[str, str]) -> str | None:
    """The region from AWS_REGION, AWS_DEFAULT_REGION or the profile (when botocore is installed); `None` without one.

    Raises `RegionNotFound` for a name that could not stand in a host name, `CredentialsRefused` for a broken profile.
    """
    name = (environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "").strip()
    if not name:
        from .botocore_chain import find_region

        name = find_region(environ) or ""
    if not name.replace("-", "").isalnum() or not name.isascii():
        if not name:
            return None
        raise RegionNotFound(f"{name!r} is not an AWS region. Set AWS_REGION to one, such as us-east-1.")
    return name


def require_region(environ: Mapping[str, str]) -> str:
    """The region, as `region` finds it. Raises `RegionNotFound` when there is none."""
    found = region(environ)
    if found is None:
        raise RegionNotFound(
            "No AWS region: AWS_REGION, AWS_DEFAULT_REGION and the profile in use name none."
            " Set AWS_REGION, for example to us-east-1."
        )
    return found
