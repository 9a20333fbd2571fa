"""Where an AWS service is: the endpoint that was given, that the environment names, or the region's own. Pure.

Source: "Service-specific endpoints" in the AWS SDKs and Tools Reference Guide; `partitions.json` of the AWS SDKs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..flow import Environ

_DOMAINS = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
"""The domain of a partition, by how its regions begin; all others, GovCloud's too, are in `amazonaws.com`."""


def domain_of(region: str) -> str:
    """The domain that a region's endpoints are in."""
    return next((domain for start, domain in _DOMAINS.items() if region.startswith(start)), "amazonaws.com")


def region_in(arn: str) -> str | None:
    """The region that an ARN names; `None` where it names none, and of what is no ARN."""
    parts = arn.split(":")
    return parts[3] or None if len(parts) > 3 and parts[0] == "arn" else None


def named_endpoint(service: str, given: str | None, environ: Environ) -> str | None:
    """The endpoint given, or else that of AWS_ENDPOINT_URL_<SERVICE> or AWS_ENDPOINT_URL, without a slash at its end.

    `service` is the name in the variable (`SECRETS_MANAGER`). AWS_IGNORE_CONFIGURED_ENDPOINT_URLS leaves out both
    variables, as in the AWS SDKs.
    """
    if given is None and environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    named = given or environ.get(f"AWS_ENDPOINT_URL_{service}") or environ.get("AWS_ENDPOINT_URL")
    return named.rstrip("/") if named else None
