"""SSM Parameter Store: values by path, secret ones decrypted.

    key = yield from ParameterStore().get("/app/prod/openai")

Source: "GetParameter" and "GetParameters" in the AWS Systems Manager API Reference.
"""

from __future__ import annotations

from .errors import ServiceError
from .service import JsonService, ServiceFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..flow import Flow

_BATCH = 10

SSM = ServiceFacts(
    title="SSM",
    name="ssm",
    variable="SSM",
    target="AmazonSSM",
    passing=frozenset(("InternalServerError",)),
    fixes={
        "ParameterNotFound": "Create the parameter, or check its name and region; a path begins with a slash.",
        "ParameterVersionNotFound": "Check the version or the label after the colon.",
        "InvalidKeyId": "Allow the function's role kms:Decrypt on the parameter's key.",
        "ValidationException": "Check the parameter's name.",
    },
)


class ParameterStore:
    """The parameters of one region. Raises `ServiceError`; names and ARNs are shown in errors, values never."""

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 10.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self._service = JsonService(
            SSM, region=region, endpoint=endpoint, timeout_seconds=timeout_seconds, jitter=jitter
        )

    def get(self, name: str) -> Flow[str]:
        """The value of a parameter, by name, path or ARN, also of a version (`name:3`) or label (`name:live`)."""
        answer = yield from self._service.call("GetParameter", {"Name": name, "WithDecryption": True}, on=name)
        return str(answer["Parameter"]["Value"])

    def get_many(self, names: Sequence[str]) -> Flow[dict[str, str]]:
        """The values of several parameters by name, ten a request. Raises `ServiceError` naming those there are not."""
        asked = list(dict.fromkeys(names))
        found: dict[str, str] = {}
        missing: list[str] = []
        for start in range(0, len(asked), _BATCH):
            part = asked[start : start + _BATCH]
            answer = yield from self._service.call("GetParameters", {"Names": part, "WithDecryption": True}, on=part[0])
            missing += answer.get("InvalidParameters", ())
            for parameter in answer.get("Parameters", ()):
                found[_asked_as(parameter, part)] = str(parameter["Value"])
        if missing:
            said = f"SSM has no parameter {', '.join(map(repr, missing))}."
            fix = SSM.fixes["ParameterNotFound"]
            raise ServiceError(said, code="ParameterNotFound", fix=fix, retryable=False, refused=True)
        return found


def _asked_as(parameter: dict[str, str], names: Sequence[str]) -> str:
    """The name that a parameter was asked for by: its own, its ARN, or either with a version or a label."""
    own, arn, selector = parameter["Name"], parameter.get("ARN", ""), parameter.get("Selector", "")
    return next((name for name in (own + selector, arn + selector, arn, own) if name in names), own)
