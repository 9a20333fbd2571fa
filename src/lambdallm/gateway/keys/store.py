"""What a store of keys is: users, each with a few short texts and a version, changed by one writer at a time.

A store knows nothing of what the texts say. Every operation is a flow, for both drivers, and raises `BackendError`
where the store does not answer or refuses. `lambdallm.testing.conformance.keys` checks all that is said here.
"""

from __future__ import annotations

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, Protocol

    from ...llm.flow import Flow

    class KeyStore(Protocol):
        """A store of users' keys."""

        gives_flows: Literal[True]

        def load(self, user: str) -> Flow[Owner | None]:
            """A user as the last `save` left it, in one read; `None` where there is no such user."""

        def enrol(self, user: str) -> Flow[Owner]:
            """A user, made where there is none. The name in the answer is the one that keys are given for."""

        def save(self, owner: Owner) -> Flow[None]:
            """Keep a user's texts, if the version in the store is the one before the owner's.

            Raises `ConditionFailed` where it is not: somebody else was there, or is there now.
            """

        def page(self, after: str = "", limit: int = 50) -> Flow[Page]:
            """Some users that have had keys, and where to go on."""


MOST_KEYS = 10
"""How many texts a user has at most: Cognito has a place for each in the pool's schema, and those can't be deleted."""
MOST_PAGE = 60
"""The longest page: what Cognito's ListUsers gives."""


class Owner(Value):
    """A user and the texts kept for it. `version` grows by one with every change, from 0: no keys were ever made.

    Of one who is not `enabled`, no key lets anybody in.
    """

    user: str
    keys: tuple[str, ...] = ()
    version: int = 0
    enabled: bool = True

    def with_keys(self, keys: Sequence[str]) -> Owner:
        """The next version."""
        return self.replace(keys=tuple(keys), version=self.version + 1)


class Page(Value):
    """Some of the users. `next` is what the following page goes on after; empty at the end."""

    owners: tuple[Owner, ...] = ()
    next: str = ""
