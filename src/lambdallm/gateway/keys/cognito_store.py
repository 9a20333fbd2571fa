"""Keys in Cognito: a user of the pool has them in custom attributes, one for each key and one for the version.

    store = CognitoKeyStore(UserPool("eu-central-1_Ab12Cd34E"))
    yield from store.ensure()               # once: adds the attributes to the pool's schema

Cognito writes without conditions: of two administrators who read a user, the later one would undo what the first wrote.
It does create conditionally, so a change begins with a claim: a group whose name has the user and the version to be
written, which of several writers one can make. Under the claim the user is read again; only if it still has the version
before, the attributes are written, all of them in one request; then the claim goes.

What that guarantees: no change is lost, as long as Cognito reads what it has written and a request to it does not
arrive more than `STALE_SECONDS` - `LEASE_SECONDS` after its sender has given it up. Whoever dies between claim and
write blocks changes to that one user for `STALE_SECONDS`, after which the claim is passed over; requests with keys go
on all the while. A write without an answer leaves its claim too, since it may still arrive.
"""

from __future__ import annotations

from ...llm.backends.errors import BackendError, ConditionFailed
from ...llm.flow import NOW
from ...llm.services.errors import ServiceError
from .record import MOST_CHARACTERS
from .store import MOST_KEYS, MOST_PAGE, Owner, Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ...llm.flow import Flow
    from .cognito import PoolUser, UserPool

VERSION = "llm_keys"
SLOTS = tuple(f"llm_key{number}" for number in range(1, MOST_KEYS + 1))
"""The attributes, without `custom:`; Cognito's names have 20 characters at most."""

LEASE_SECONDS = 20.0
"""How long after its claim a writer may still begin to write."""
STALE_SECONDS = 120.0
"""From what age on a claim is passed over; by two clocks, which the signing of requests keeps within minutes."""
_MOST_CLAIMS = 20


class CognitoKeyStore:
    """Users' keys in a user pool; see `store.KeyStore`. A user that is missing is made without an invitation.

    Needs cognito-idp:AdminGetUser alone to recognise keys; ListUsers, AdminCreateUser, AdminUpdateUserAttributes,
    CreateGroup, GetGroup and DeleteGroup to manage them.
    """

    gives_flows: Literal[True] = True

    def __init__(self, pool: UserPool) -> None:
        self.pool = pool

    def ensure(self) -> Flow[None]:
        """Add the attributes to the pool's schema where they are missing; they can't be taken away again.

        Needs DescribeUserPool and AddCustomAttributes.
        """
        yield from self.pool.add_attributes((VERSION, *SLOTS), MOST_CHARACTERS)

    def load(self, user: str) -> Flow[Owner | None]:
        """A user as the last `save` left it: one AdminGetUser."""
        found = yield from self.pool.user(user)
        return None if found is None else _owner(found)

    def enrol(self, user: str) -> Flow[Owner]:
        """A user, made where there is none; in pools whose users sign in by address, its name is another one."""
        found = (yield from self.pool.user(user)) or (yield from self.pool.create_user(user))
        found = found or (yield from self.pool.user(user))
        if found is None:
            raise BackendError(f"Cognito has a user {user!r} that it does not show.")
        return _owner(found)

    def save(self, owner: Owner) -> Flow[None]:
        """Keep a user's texts, if the version in the pool is the one before."""
        since = (yield NOW).monotonic
        claims = yield from self._claimed(owner)
        try:
            yield from self._check(owner)
            if (yield NOW).monotonic > since + LEASE_SECONDS:
                raise ConditionFailed(f"The claim on the keys of {owner.user!r} took too long to get.", {})
            yield from self.pool.update(owner.user, _attributes(owner))
        except BackendError as error:
            if isinstance(error, ConditionFailed) or getattr(error, "refused", False):
                yield from self._released(claims[-1:])
            raise
        yield from self._released(claims)

    def page(self, after: str = "", limit: int = 50) -> Flow[Page]:
        """Some users, in Cognito's order; those that never had keys are left out, so a page may be short or empty."""
        try:
            users, token = yield from self.pool.users(after, min(limit, MOST_PAGE))
        except ServiceError as error:
            if after and error.code == "InvalidParameterException":
                raise ValueError(after) from error
            raise
        owners = (_owner(user) for user in users)
        return Page(tuple(owner for owner in owners if owner.version), token)

    def _claimed(self, owner: Owner) -> Flow[tuple[str, ...]]:
        """The claims on the next version: dead ones, and ours. Raises `ConditionFailed` where somebody else has it."""
        from os import urandom

        token = urandom(16).hex()
        claims: tuple[str, ...] = ()
        for attempt in range(_MOST_CLAIMS):
            name = _claim(owner, attempt)
            claims += (name,)
            if (yield from self.pool.create_group(name, token)):
                return claims
            there = yield from self.pool.group(name)
            if there is not None and there.description == token:  # made by a request whose answer was lost
                return claims
            if there is None or there.created_at > (yield NOW).wall - STALE_SECONDS:
                break
        raise ConditionFailed(f"Somebody else is changing the keys of {owner.user!r}.", {})

    def _check(self, owner: Owner) -> Flow[None]:
        known = yield from self.load(owner.user)
        version = None if known is None else known.version
        if version != owner.version - 1:
            said = f"The keys of {owner.user!r} have version {version}, not {owner.version - 1}."
            raise ConditionFailed(said, {})

    def _released(self, claims: tuple[str, ...]) -> Flow[None]:
        """Let go of claims. One that stays behind is found stale, or beside a version that has passed."""
        for claim in claims:
            try:
                yield from self.pool.delete_group(claim)
            except BackendError as error:
                from logging import getLogger

                getLogger("lambdallm.gateway").warning("The group %r could not be deleted: %s", claim, error)

    def __repr__(self) -> str:
        return f"CognitoKeyStore({self.pool.id!r})"


def _owner(user: PoolUser) -> Owner:
    attributes = user.attributes
    version = attributes.get(f"custom:{VERSION}") or "0"
    keys = tuple(text for name in SLOTS if (text := attributes.get(f"custom:{name}")))
    return Owner(user.name, keys, int(version) if version.isdecimal() else 0, user.enabled)


def _attributes(owner: Owner) -> dict[str, str]:
    """All attributes; those without a key are deleted. Raises `ValueError` for more keys than there is room for."""
    blank = ("",) * (len(SLOTS) - len(owner.keys))
    values = zip(SLOTS, (*owner.keys, *blank), strict=True)
    return {f"custom:{VERSION}": str(owner.version), **{f"custom:{name}": text for name, text in values}}


def _claim(owner: Owner, attempt: int) -> str:
    from hashlib import sha256

    user = sha256(owner.user.encode()).hexdigest()[:32]
    return f"lambdallm-keys-{user}-{owner.version}-{attempt}"
