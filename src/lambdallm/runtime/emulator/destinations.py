"""What functions are set to do with events, and where it is told what became of one: a function, a queue.

SNS topics, S3 buckets and event buses are not emulated, and are refused as destinations.
"""

from __future__ import annotations

import json

from .aliases import LATEST
from .names import split_name
from .retries import AsyncSettings, dead_letter_attributes, record
from .service_errors import wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .account import Account
    from .retries import AsyncEvent, Outcome, Over


class Destinations:
    """The settings of an account's functions for events. Each method raises `ServiceError` for what is not there."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settings: dict[tuple[str, str], AsyncSettings] = {}
        self._dead_letters: dict[str, str] = {}

    def settings(self, name: str, qualifier: str | None = None) -> AsyncSettings | None:
        """The settings of a function, a version or an alias; `None` where none were given."""
        self._account.function(name, qualifier)
        return self._settings.get((name, qualifier or LATEST))

    def set(self, name: str, qualifier: str | None, settings: AsyncSettings | None) -> None:
        """Give settings, or with `None` take them away."""
        self._account.function(name, qualifier)
        for arn in (settings.on_success, settings.on_failure) if settings else ():
            self._check(arn)
        if settings is None:
            self._settings.pop((name, qualifier or LATEST), None)
        else:
            self._settings[name, qualifier or LATEST] = settings

    def dead_letters(self, name: str) -> str | None:
        """The ARN of a function's dead-letter queue."""
        return self._dead_letters.get(name)

    def set_dead_letters(self, name: str, arn: str | None) -> None:
        """Name a function's dead-letter queue, or none."""
        self._account.function(name)
        self._check(arn)
        if arn:
            self._dead_letters[name] = arn
        else:
            self._dead_letters.pop(name, None)

    def of(self, event: AsyncEvent) -> AsyncSettings:
        """All that is set for an event."""
        settings = self._settings.get((event.name, event.qualifier or LATEST)) or AsyncSettings()
        return settings.replace(dead_letter=self._dead_letters.get(event.name))

    def tell(self, over: Over, outcome: Outcome) -> None:
        """Tell the destinations of an event that is through."""
        event, settings = over.event, self.of(over.event)
        failed = over.condition != "Success"
        arn = self._account.arn(event.name, event.qualifier or LATEST)
        if target := settings.on_failure if failed else settings.on_success:
            self._send(target, record(over, outcome, arn, self._account.clock.now()))
        if failed and settings.dead_letter:
            facts = dead_letter_attributes(event, outcome)
            attributes = {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in facts.items()}
            queue = self._account.sources.queue(settings.dead_letter)
            queue.send(event.payload.decode("utf-8", "replace"), attributes=attributes)

    def _send(self, target: str, told: dict[str, Any]) -> None:
        text = json.dumps(told, ensure_ascii=False)
        if ":sqs:" in target:
            self._account.sources.queue(target).send(text)
        else:
            name, qualifier = split_name(target)
            self._account.invoke_event(name, text.encode(), qualifier=qualifier)

    def _check(self, arn: str | None) -> None:
        if not arn:
            return
        if ":lambda:" in arn:
            self._account.function(*split_name(arn))
        elif ":sqs:" in arn:
            self._account.sources.queue(arn)
        else:
            raise wrong(f"The destination ARN {arn} is not valid. The emulator knows functions and SQS queues.")
