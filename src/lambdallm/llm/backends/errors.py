"""What a backend's flow raises: one error, whatever the store behind it.

    LambdaLLMError
    └── BackendError             the store did not answer, or refused
        └── ConditionFailed      it answered that what was to hold does not: not a failure of the store

Redis's, DynamoDB's and foreign objects' own errors are mapped to these once, where they are called. What only the
caller can mend (no credentials, no region, no package) stays a `ConfigurationError`.
"""

from __future__ import annotations

from ..errors import LambdaLLMError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class BackendError(LambdaLLMError):
    """A shared store could not do what it was asked.

    `retryable` says whether the same may work later; `code` is the store's own word.
    """

    fix = "Check that the store runs and can be reached from here."

    def __init__(self, message: str, *, fix: str = "", code: str = "", retryable: bool = True) -> None:
        super().__init__(message, fix=fix)
        self.code, self.retryable = code, retryable


class ConditionFailed(BackendError):
    """A conditional write did not hold. `item` is what the store has under that key, empty where it has nothing.

    Of several writes in one transaction, `index` is the place of the first that did not.
    """

    fix = "Read the item again, and decide anew."

    def __init__(self, message: str, item: Mapping[str, Any], *, index: int | None = None) -> None:
        super().__init__(message, code="ConditionalCheckFailedException", retryable=False)
        self.item, self.index = item, index
