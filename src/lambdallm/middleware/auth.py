"""`AuthMiddleware`: lets in who shows a valid API key or token, and tells the function who it is."""

from __future__ import annotations

from ..llm.errors import ConfigurationError, UnauthorizedError
from .base import FlowMiddleware
from .errors import ForbiddenError
from .http import header
from .own import given_by
from .principal import Principal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol, TypeAlias

    from ..llm.flow import Flow
    from .context import InvocationContext

    class Verifier(Protocol):
        """Recognises one kind of token, such as `ApiKeys` and `Jwt`."""

        def verify(self, token: str) -> Flow[Principal | None]:
            """Who shows it; `None` if it is none of its tokens. Raises `UnauthorizedError` for one it refuses."""

    Validate: TypeAlias = Callable[[str], Any]

_MOST_CHARACTERS = 16_384


class AuthMiddleware(FlowMiddleware):
    """Refuses events without valid credentials, with 401, and those whose sender may not do this, with 403.

        AuthMiddleware(ApiKeys({"ci": "sha256:…"}), Jwt(jwks_url="https://…", issuer="https://…", audience="orders"))

    A verifier is an `ApiKeys`, a `Jwt`, an object of one's own with `verify` (a flow or not), or a function of the
    token: what it returns is the caller (a `Principal`, its id, or anything with an `id`), `True` for one without a
    name, `None` or `False` for nobody. A subclass may have it as a method `validate`. It may be asynchronous in
    handlers that are.

    The token is looked for in `headers` in turn: after `Bearer` where it says so, else the whole value. Who it is
    stands in `context.principal`. `scopes` are all required; `allow` is asked with the principal and the event. With
    `optional` events without a token pass, with `None` for a principal; those with a wrong one don't.
    """

    def __init__(
        self,
        *verifiers: Verifier | Validate,
        headers: Sequence[str] = ("Authorization", "X-Api-Key"),
        scopes: Sequence[str] = (),
        allow: Callable[[Principal, Any], Any] | None = None,
        optional: bool = False,
        realm: str = "api",
    ) -> None:
        own = getattr(self, "validate", None)
        self._verifiers = (*verifiers, *((own,) if own is not None else ()))
        if not self._verifiers:
            fix = "Give ApiKeys, a Jwt or a function of the token, or write a method validate(token)."
            raise ConfigurationError("AuthMiddleware has nothing to recognise callers by.", fix=fix)
        if any(mark in '"\\' or not mark.isprintable() for mark in realm) or not realm.isascii():
            raise ConfigurationError(f"realm is {realm!r}.", fix="Use plain text.")
        self._headers, self._scopes, self._allow = tuple(headers), frozenset(scopes), allow
        self._optional, self._realm = optional, realm

    def beginning(self, event: Any, context: InvocationContext) -> Flow[Any]:
        """Recognise the caller. Raises `UnauthorizedError`, `ForbiddenError`."""
        token = self._token(event)
        if token is None and self._optional:
            self._introduce(context, None)
            return None
        try:
            principal = yield from self._recognised(token)
            yield from self._admit(principal, event)
        except UnauthorizedError as error:
            error.http_headers = {"WWW-Authenticate": self._challenge(token, error)}  # type: ignore[attr-defined]  # its own
            raise
        self._introduce(context, principal)
        return None

    def _introduce(self, context: Any, principal: Principal | None) -> None:
        context.principal = principal

    def _token(self, event: Any) -> str | None:
        for name in self._headers:
            value = (header(event, name) or "").strip()
            kind, _, rest = value.partition(" ")
            if value:
                return rest.strip() if kind.lower() == "bearer" else value
        return None

    def _recognised(self, token: str | None) -> Flow[Principal]:
        """Whose token it is, by the first verifier that knows."""
        if not token:
            raise UnauthorizedError("There are no credentials.", fix=f"Send them in the header {self._headers[0]}.")
        refused: UnauthorizedError | None = None
        for verifier in self._verifiers if len(token) <= _MOST_CHARACTERS else ():
            try:
                principal = yield from _asked(verifier, token)
            except UnauthorizedError as error:
                refused = refused or error
                continue
            if principal is not None:
                return principal
        raise refused or UnauthorizedError("The credentials are not valid.")

    def _admit(self, principal: Principal, event: Any) -> Flow[None]:
        missing = sorted(self._scopes - principal.scopes)
        if missing:
            raise ForbiddenError(f"{principal.id!r} lacks the scope {missing[0]!r}.")
        allow = self._allow
        if allow is not None and not (yield from given_by(lambda: allow(principal, event))):
            raise ForbiddenError(f"{principal.id!r} may not do this.")

    def _challenge(self, token: str | None, error: UnauthorizedError) -> str:
        """What RFC 6750, section 3, has a client told."""
        told = f'Bearer realm="{self._realm}"'
        if isinstance(error, ForbiddenError):
            wanted = f', scope="{" ".join(sorted(self._scopes))}"' if self._scopes else ""
            return f'{told}, error="insufficient_scope"{wanted}'
        return told if not token else f'{told}, error="invalid_token"'


def _asked(verifier: Any, token: str) -> Flow[Principal | None]:
    recognise = getattr(verifier, "verify", verifier)
    found = yield from given_by(lambda: recognise(token))
    if hasattr(found, "throw"):
        found = yield from found
    if not found or isinstance(found, Principal):
        return found or None
    return Principal(found if isinstance(found, str) else str(getattr(found, "id", "")), value=found)
