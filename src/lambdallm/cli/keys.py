"""`lambdallm keys`: make, list, change, rotate and revoke the gateway's API keys, over its REST endpoints only.

A new key is printed alone on standard output, once: nothing can show it again.
"""

from __future__ import annotations

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable
    from typing import Any

    from .keys_api import KeysApi

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LIMITS = {
    "name": (str, "what the key is called"),
    "requests_per_minute": (int, "requests a minute"),
    "tokens_per_minute": (int, "tokens a minute"),
    "daily_budget_usd": (float, "US dollars a day"),
    "monthly_budget_usd": (float, "US dollars a month"),
}
_SHOWN = (
    "id", "user", "name", "status", "models", "requests_per_minute", "tokens_per_minute", "daily_budget_usd",
    "monthly_budget_usd", "labels", "created_at", "expires_at", "revoked_at", "old_secret_until",
)  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("keys", help="make, list, change, rotate and revoke the gateway's API keys")
    verbs = parser.add_subparsers(dest="keys_verb", metavar="VERB", required=True)
    create = verbs.add_parser("create", help="make a key, which is shown this once")
    create.add_argument("user", help="whose key it is")
    update = verbs.add_parser("update", help="change what a key may do; 'none' takes a limit away")
    for verb in (create, update):
        _add_fields(verb)
    listed = verbs.add_parser("list", help="list the keys")
    audit = verbs.add_parser("audit", help="list who did what to keys, the latest first")
    audit.add_argument("--key", metavar="ID", help="of this key only")
    audit.add_argument("--month", metavar="YYYY-MM", help="of that month, not of this one")
    for verb in (listed, audit):
        verb.add_argument("--user", help="of this user only")
    rotate = verbs.add_parser("rotate", help="give a key a new secret, which is shown this once")
    rotate.add_argument("--overlap", type=_seconds, metavar="TIME", help="how long the old one works: 1h; a day")
    revoke = verbs.add_parser("revoke", help="end a key for good")
    for verb in (update, rotate, revoke):
        verb.add_argument("id", help="the key's id")
    for verb in (create, update, listed, audit, rotate, revoke):
        verb.add_argument("--url", help="the gateway's URL; else LAMBDALLM_GATEWAY_URL")
        verb.add_argument("--sign", choices=("lambda", "execute-api"), help="sign requests with AWS credentials")
        verb.add_argument("--json", action="store_true", help="print what the gateway answers")


def run(args: Namespace) -> int:
    """Do what was asked. Raises `LambdaLLMError`."""
    from .keys_api import KeysApi

    _VERBS[args.keys_verb](KeysApi(args.url, args.sign), args)
    return 0


def _add_fields(verb: ArgumentParser) -> None:
    for name, (_, text) in _LIMITS.items():
        verb.add_argument(f"--{name.replace('_', '-').removesuffix('-usd')}", dest=name, help=text)
    verb.add_argument("--model", action="append", metavar="PATTERN", help="a model it may ask, * for any text; repeat")
    verb.add_argument("--label", action="append", metavar="NAME=TEXT", help="a label; repeat")
    verb.add_argument("--expires-in", metavar="TIME", help="when it ends: 90d, 12h, 30m")


def _fields(args: Namespace) -> dict[str, Any]:
    """What the arguments say of a key."""
    given = {name: getattr(args, name) for name in _LIMITS if getattr(args, name) is not None}
    fields = {name: _limit(name, text) for name, text in given.items()}
    if args.model:
        fields["models"] = None if args.model == ["none"] else args.model
    if args.label:
        fields["labels"] = None if args.label == ["none"] else dict(map(_label, args.label))
    if args.expires_in:
        fields["expires_in_seconds"] = None if args.expires_in == "none" else _seconds(args.expires_in)
    return fields


def _limit(name: str, text: str) -> Any:
    if text == "none":
        return None
    try:
        return _LIMITS[name][0](text)
    except ValueError:
        raise _mistake(f"{name} is {text!r}", "Give a number, or 'none' for no limit.") from None


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise _mistake(f"The label is {text!r}", "Write name=text.")
    return name, value


def _seconds(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not (number.isascii() and number.isdigit()):
        raise _mistake(f"The time is {text!r}", "Write a whole number and s, m, h or d, such as 90d.")
    return int(number) * _UNITS[unit]


def _mistake(said: str, fix: str) -> Exception:
    from ..llm.errors import ConfigurationError

    return ConfigurationError(f"{said}.", fix=fix)


def _create(api: KeysApi, args: Namespace) -> None:
    _tell_key(api.ask("POST", "/keys", {"user": args.user, **_fields(args)}), args)


def _rotate(api: KeysApi, args: Namespace) -> None:
    body = {} if args.overlap is None else {"overlap_seconds": args.overlap}
    _tell_key(api.ask("POST", f"/keys/{args.id}/rotate", body), args)


def _update(api: KeysApi, args: Namespace) -> None:
    _tell(api.ask("PATCH", f"/keys/{args.id}", _fields(args)), args)


def _revoke(api: KeysApi, args: Namespace) -> None:
    _tell(api.ask("POST", f"/keys/{args.id}/revoke"), args)


def _list(api: KeysApi, args: Namespace) -> None:
    rows, unreadable = _pages(api, "/keys", {"user": args.user} if args.user else {}, "after")
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        head = ("ID", "USER", "NAME", "STATUS", "MODELS", "EXPIRES")
        _table(head, [(*(_text(row, name) for name in ("id", "user", "name", "status", "models", "expires_at")),)
                      for row in rows])  # fmt: skip
    for user in unreadable:
        print(f"warning: a record of {user!r} can't be read: somebody changed it, or the pepper.", file=sys.stderr)


def _audit(api: KeysApi, args: Namespace) -> None:
    asked = {"key_id": args.key, "month": args.month, "user": args.user}
    rows, _ = _pages(api, "/keys/audit", {name: text for name, text in asked.items() if text}, "before")
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    names = ("at", "by", "action", "outcome", "user", "key_id", "changed")
    _table(
        ("WHEN", "BY", "WHAT", "OUTCOME", "USER", "KEY", "CHANGED"), [(*(_text(r, n) for n in names),) for r in rows]
    )


def _pages(api: KeysApi, path: str, query: dict[str, str], place: str) -> tuple[list[dict[str, Any]], list[str]]:
    """All of a list; each page after the last."""
    rows: list[dict[str, Any]] = []
    unreadable: list[str] = []
    while True:
        page = api.ask("GET", path, query=query)
        rows += page["data"]
        unreadable += page.get("unreadable", ())
        if not page["next"]:
            return rows, unreadable
        query = {**query, place: page["next"]}


def _tell_key(answer: dict[str, Any], args: Namespace) -> None:
    """Print a key, and the rest for people on standard error, so that it can be piped."""
    if args.json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    print(answer["key"])
    sys.stdout.flush()
    print(f"This is the key {answer['id']} of {answer['user']}. It can't be shown again: keep it now.", file=sys.stderr)
    if answer.get("old_secret_until"):
        print(f"The one before works until {_text(answer, 'old_secret_until')}.", file=sys.stderr)


def _tell(answer: dict[str, Any], args: Namespace) -> None:
    if args.json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    for name in _SHOWN:
        if answer.get(name) not in (None, "", [], {}):
            print(f"{name:<20}{_text(answer, name)}")


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value in (None, "", [], {}):
        return "-"
    if name == "at" or name.endswith(("_at", "_until")):
        from datetime import UTC, datetime

        return datetime.fromtimestamp(float(row[name]), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if name == "changed":
        value = dict(value)
        return ", ".join(f"{field}: {json.dumps(old)} → {json.dumps(new)}" for field, (old, new) in value.items())
    if name == "labels":
        return ", ".join(f"{key}={text}" for key, text in dict(row[name]).items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from .console import paint, table

    first, *rest = table(head, rows).splitlines()
    print(paint(first, "bold", sys.stdout), *rest, sep="\n")


_VERBS: dict[str, Callable[[KeysApi, Namespace], None]] = {
    "create": _create, "list": _list, "audit": _audit, "update": _update, "rotate": _rotate, "revoke": _revoke,
}  # fmt: skip
