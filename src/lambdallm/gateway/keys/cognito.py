"""Amazon Cognito user pools: the operations that keys need, in Cognito's own JSON over signed requests.

    pool = UserPool("eu-central-1_Ab12Cd34E")
    user = yield from pool.user("alice")

Source: Amazon Cognito User Pools API Reference, API version 2016-04-18.
"""

from __future__ import annotations

from ..._value import Value
from ...llm.errors import ConfigurationError
from ...llm.services.errors import ServiceError
from ...llm.services.service import JsonService, ServiceFacts
from ...runtime.events import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ...llm.flow import Flow

COGNITO = ServiceFacts(
    title="Cognito",
    name="cognito-idp",
    variable="COGNITO_IDENTITY_PROVIDER",
    target="AWSCognitoIdentityProviderService",
    passing=frozenset(("InternalErrorException", "ConcurrentModificationException")),
    fixes={
        "ResourceNotFoundException": "Check the user pool's id, and its region.",
        "InvalidParameterException": "Correct that; the pool needs the attributes that `ensure` adds.",
    },
)
_MOST_NEW_ATTRIBUTES = 25


class PoolUser(Value):
    """A user of a pool: its own name there, its attributes by name, and whether it may sign in."""

    name: str
    attributes: Mapping[str, str] = NOTHING
    enabled: bool = True


class Group(Value):
    """A group of a pool. `created_at` is in seconds since the epoch, by Cognito's clock."""

    description: str
    created_at: float


class UserPool:
    """One user pool. Its region is the one in its id, unless given. Raises `ServiceError`."""

    def __init__(
        self,
        pool_id: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 3.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        named, underscore, _ = pool_id.partition("_")
        if not underscore:
            raise ConfigurationError(
                f"{pool_id!r} is no id of a user pool.", fix="Give one such as eu-central-1_Ab12Cd34E."
            )
        self.id = pool_id
        self._service = JsonService(
            COGNITO, region=region or named, endpoint=endpoint, timeout_seconds=timeout_seconds, jitter=jitter
        )

    def user(self, name: str) -> Flow[PoolUser | None]:
        """A user by name (AdminGetUser); `None` where there is none."""
        try:
            answer = yield from self._call("AdminGetUser", {"Username": name})
        except ServiceError as error:
            if error.code == "UserNotFoundException":
                return None
            raise
        return _user(answer, answer.get("UserAttributes", ()))

    def create_user(self, name: str) -> Flow[PoolUser | None]:
        """A new user, to whom nothing is sent (AdminCreateUser); `None` where there is one of that name."""
        try:
            answer = yield from self._call("AdminCreateUser", {"Username": name, "MessageAction": "SUPPRESS"})
        except ServiceError as error:
            if error.code == "UsernameExistsException":
                return None
            raise
        return _user(answer["User"], answer["User"].get("Attributes", ()))

    def update(self, name: str, attributes: Mapping[str, str]) -> Flow[None]:
        """Change attributes, all at once; empty ones are deleted (AdminUpdateUserAttributes)."""
        pairs = [{"Name": key, "Value": value} for key, value in attributes.items()]
        yield from self._call("AdminUpdateUserAttributes", {"Username": name, "UserAttributes": pairs})

    def users(self, after: str, limit: int) -> Flow[tuple[list[PoolUser], str]]:
        """Some users with their attributes, and the token of the next page (ListUsers)."""
        body = {"Limit": limit, **({"PaginationToken": after} if after else {})}
        answer = yield from self._call("ListUsers", body)
        found = [_user(user, user.get("Attributes", ())) for user in answer.get("Users", ())]
        return found, str(answer.get("PaginationToken") or "")

    def create_group(self, name: str, description: str) -> Flow[bool]:
        """Make a group (CreateGroup); whether it is new: of several who try, one is told so."""
        try:
            yield from self._call("CreateGroup", {"GroupName": name, "Description": description})
        except ServiceError as error:
            if error.code == "GroupExistsException":
                return False
            raise
        return True

    def group(self, name: str) -> Flow[Group | None]:
        """A group (GetGroup); `None` where there is none."""
        try:
            found = (yield from self._call("GetGroup", {"GroupName": name}))["Group"]
        except ServiceError as error:
            if error.code == "ResourceNotFoundException":
                return None
            raise
        return Group(str(found.get("Description", "")), float(found.get("CreationDate", 0.0)))

    def delete_group(self, name: str) -> Flow[None]:
        """Delete a group (DeleteGroup); one that is not there is fine."""
        try:
            yield from self._call("DeleteGroup", {"GroupName": name})
        except ServiceError as error:
            if error.code != "ResourceNotFoundException":
                raise

    def add_attributes(self, names: Sequence[str], most_characters: int) -> Flow[None]:
        """Have custom attributes of text in the pool's schema: those that are missing are added, for ever."""
        answer = yield from self._call("DescribeUserPool", {})
        there = {attribute["Name"] for attribute in answer["UserPool"].get("SchemaAttributes", ())}
        missing = [name for name in names if f"custom:{name}" not in there]
        for start in range(0, len(missing), _MOST_NEW_ATTRIBUTES):
            new = [_text_attribute(name, most_characters) for name in missing[start : start + _MOST_NEW_ATTRIBUTES]]
            yield from self._call("AddCustomAttributes", {"CustomAttributes": new})

    def _call(self, operation: str, body: Mapping[str, Any]) -> Flow[dict[str, Any]]:
        return (yield from self._service.call(operation, {"UserPoolId": self.id, **body}, on=self.id))

    def __repr__(self) -> str:
        return f"UserPool({self.id!r})"


def _user(answer: Mapping[str, Any], pairs: Sequence[Mapping[str, str]]) -> PoolUser:
    attributes = {pair["Name"]: pair.get("Value", "") for pair in pairs}
    return PoolUser(str(answer["Username"]), attributes, bool(answer.get("Enabled", True)))


def _text_attribute(name: str, most_characters: int) -> dict[str, Any]:
    bounds = {"MinLength": "0", "MaxLength": str(most_characters)}
    return {"Name": name, "AttributeDataType": "String", "Mutable": True, "StringAttributeConstraints": bounds}
