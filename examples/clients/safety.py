"""Filters before and behind a client: `python examples/clients/safety.py` needs no key.

The model here says what it is told, which shows what it was told. Filters find forms, not meanings: they are one fence,
and no proof that nothing gets past it.
"""

import re
from secrets import token_hex

from lambdallm.llm import (
    LLMContentFilterError,
    OutputFilter,
    PersonalDataFilter,
    RegexFilter,
    SecretsFilter,
    create_llm_client,
)
from lambdallm.llm.safety.sync import SecureLLMClient

QUESTION = "Write to ada@example.com and call +44 20 7946 0958."
TOKEN = "gh" + "p_" + token_hex(18)
"""What looks like somebody's token and is nobody's."""


def redact(client):
    """What a filter finds is replaced by its kind, and counted: never is it told what the text was."""
    secure = SecureLLMClient(client, input_filters=[PersonalDataFilter()])
    answer = secure.complete(QUESTION).unwrap()
    print(answer.text)
    print(f"  {answer.metadata['safety']}")


def redact_stream(client):
    """A stream is held back only while what has come may still become something to replace, however it is cut."""
    secure = SecureLLMClient(client, output_filters=[SecretsFilter(), RegexFilter(r"\bPROJ-\d{3,6}\b", "[TICKET]")])
    print(list(secure.stream_chat(f"The token {TOKEN} is for PROJ-1234 alone.").texts()))


def pseudonyms(client):
    """The model sees placeholders; whoever asked reads what stood there."""
    seen = []
    watched = SecureLLMClient(client, input_filters=[Watch(seen)])
    secure = SecureLLMClient(watched, input_filters=[PersonalDataFilter(names=["Ada Lovelace"])], reversible=True)
    answer = secure.complete("Ada Lovelace is at ada@example.com.").unwrap()
    print(f"the model was asked {seen[0]!r}")
    print(f"the answer is {answer.text!r}")


def block(client):
    """A filter may refuse: the call ends in an error, or in words of your own."""
    refusing = SecureLLMClient(client, input_filters=[SecretsFilter(action="block")])
    result = refusing.complete(f"Is {TOKEN} still valid?")
    if result.is_err() and isinstance(result.error, LLMContentFilterError):
        print(f"blocked: {result.error}")

    polite = SecureLLMClient(client, input_filters=[SecretsFilter(action="block")], on_block="I can't talk about that.")
    answer = polite.complete(f"Is {TOKEN} still valid?").unwrap()
    print(f"{answer.text!r}, finished by {answer.finish_reason!r}")


class NoShouting(OutputFilter):
    """A filter of one's own. `longest` is how far one decision of it looks; with it, streams flow."""

    name, longest = "no_shouting", 40

    def apply(self, text):
        return re.sub(r"\b[A-Z]{2,38}\b", lambda word: word[0].capitalize(), text)


class Watch(OutputFilter):
    """Keeps what passes, and changes nothing."""

    def __init__(self, seen):
        self.seen = seen

    def apply(self, text):
        self.seen.append(text)
        return text


def own(client):
    answer = SecureLLMClient(client, output_filters=[NoShouting()]).complete("PLEASE answer NOW").unwrap()
    print(f"{answer.text!r}: {answer.metadata['safety']}")


def main():
    with create_llm_client("echo", blocking=True) as client:
        redact(client)
        redact_stream(client)
        pseudonyms(client)
        block(client)
        own(client)


if __name__ == "__main__":
    main()
