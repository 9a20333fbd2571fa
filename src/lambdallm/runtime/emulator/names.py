"""How a function is named: by its name, a partial ARN or an ARN, each with or without a qualifier. Pure.

Source: "FunctionName" of the operations in the AWS Lambda API Reference.
"""

from __future__ import annotations

import re

from .service_errors import ServiceError, wrong

_NAME = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:)?(?:\d{12}:)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?"
)
_QUALIFIER = re.compile(r"\$LATEST|[a-zA-Z0-9-_]{1,128}")


def split_name(given: str, qualifier: str | None = None) -> tuple[str, str | None]:
    """The name and the qualifier in a `FunctionName`. Raises `ServiceError` for one that is none, or for two."""
    found = _NAME.fullmatch(given) if len(given) <= 256 else None
    if found is None:
        raise _invalid("functionName", given, "(arn:aws:lambda:region:account:function:)?name(:qualifier)?")
    if qualifier is not None and not _QUALIFIER.fullmatch(qualifier):
        raise _invalid("qualifier", qualifier, r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")
    if qualifier and found[2] and qualifier != found[2]:
        raise wrong("The derived qualifier from the function name does not match the specified qualifier.")
    return found[1], qualifier or found[2]


def _invalid(member: str, value: str, pattern: str) -> ServiceError:
    constraint = f"Member must satisfy regular expression pattern: {pattern}"
    said = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    return ServiceError("ValidationException", said)


def function_arn(region: str, account: str, name: str, qualifier: str | None = None) -> str:
    """The ARN of a function, or of one of its versions or aliases."""
    return f"arn:aws:lambda:{region}:{account}:function:{name}{f':{qualifier}' if qualifier else ''}"
