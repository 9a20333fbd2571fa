"""What tells DynamoDB from other services: its protocol, what passes, and what its refusals of writes mean.

Source: Amazon DynamoDB API Reference, API version 2012-08-10; "Error handling with DynamoDB" in its Developer Guide.
"""

from __future__ import annotations

from ..backends.attributes import decode_item
from ..backends.errors import ConditionFailed
from .errors import ServiceError
from .service import ServiceFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..backends.errors import BackendError
    from .refusals import Refusal

_PASSING_REASONS = frozenset(("TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"))


def _condition_failed(refusal: Refusal, message: str) -> BackendError:
    return ConditionFailed(message, decode_item(refusal.body.get("Item") or {}))


def _cancelled(refusal: Refusal, message: str) -> BackendError:
    """Why a transaction was not done: a condition that did not hold says more than what else was in its way."""
    reasons = [reason if isinstance(reason, dict) else {} for reason in refusal.body.get("CancellationReasons") or ()]
    codes = [str(reason.get("Code") or "None") for reason in reasons]
    if "ConditionalCheckFailed" in codes:
        index = codes.index("ConditionalCheckFailed")
        said = f"{message} The condition of write {index} does not hold."
        return ConditionFailed(said, decode_item(reasons[index].get("Item") or {}), index=index)
    told = [code for code in codes if code != "None"]
    passing = bool(told) and _PASSING_REASONS.issuperset(told)
    why = "; ".join(str(reason.get("Message")) for reason in reasons if reason.get("Message"))
    return ServiceError(
        f"{message} {why.rstrip('.') + '.' if why else ''}".strip(),
        fix="Try again later." if passing else "Correct the writes.",
        code=told[0] if told else refusal.code,
        retryable=passing,
        status=refusal.status,
        request_id=refusal.request_id,
        refused=True,
    )


DYNAMODB = ServiceFacts(
    title="DynamoDB",
    name="dynamodb",
    variable="DYNAMODB",
    target="DynamoDB_20120810",
    version="1.0",
    passing=frozenset(("TransactionConflictException", "ReplicatedWriteConflictException", "TableInUseException")),
    fixes={
        "ResourceNotFoundException": "Create the table, or check its name and region; for development, `ensure` it.",
        "ValidationException": "Correct that; the table's keys have to be of the kinds configured, and called so.",
    },
    permissions={
        "TransactWriteItems": "dynamodb:PutItem, UpdateItem, DeleteItem and ConditionCheckItem",
    },
    errors={
        "ConditionalCheckFailedException": _condition_failed,
        "TransactionCanceledException": _cancelled,
    },
)
