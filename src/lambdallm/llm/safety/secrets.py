"""Credentials in text: the forms that providers document, and what stands behind words such as `password=`.

Forms are of fixed letters and lengths, so that hashes, UUIDs and prose are left alone. A password with no form is found
where a name says that it is one and it holds letters and digits. What has neither form nor name is not found.

Sources: the providers' pages, and the rules of gitleaks (MIT) and detect-secrets (Apache-2.0) as surveys of them.
"""

from __future__ import annotations

from .rules import Rule, RuleFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .rules import Action

_START = "(?<![A-Za-z0-9])"
"""A token begins here, not in the middle of a word."""

_NO_LETTER = "(?<![A-Za-z])"


def _any_case(words: str) -> str:
    """Letters of either case, in a way that lets `re` skip quickly what doesn't begin with them."""
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in words)


def _entropy(text: str) -> float:
    """Shannon entropy, in bits a character."""
    from math import log2

    return -sum(n / len(text) * log2(n / len(text)) for n in (text.count(letter) for letter in set(text)))


def _random(text: str) -> int:
    """All of what looks drawn at random: digits and letters, hardly repeated; 0 for words, numbers and `xxxx`."""
    begins = text[:100]
    mixed = any(c.isdigit() for c in begins) and any(c.isalpha() for c in begins)
    return len(text) if mixed and _entropy(begins) >= 2.5 else 0


def _password(text: str) -> int:
    """What stands behind `password=`, unless it is a reference (`${X}`, `os.environ`, `<here>`) or a plain word."""
    value = text.rstrip(".!?)]")
    reference = value[:1] in "$<{%[*" or "(" in value or value.lower().startswith(("os.", "env.", "process.env"))
    return len(value) if not reference and len(value) >= 6 and _random(value) else 0


def _url_password(text: str) -> int:
    """All of a password that is neither a reference nor starred out."""
    return 0 if text[0] in "$<{[" or not text.strip("*xX") else len(text)


def _basic(text: str) -> int:
    """Base64 of `user:password`."""
    from binascii import Error, a2b_base64

    try:
        return len(text) if b":" in a2b_base64(text + "=" * (-len(text) % 4)) else 0
    except (Error, ValueError):
        return 0


def _key_block(text: str) -> int:
    """A block with key material in it; not one that is only spoken of."""
    import re

    return len(text) if re.search(r"[A-Za-z0-9+/]{16}", text.split("-----", 2)[-1]) else 0


_BREAK = r"(?:\s|\\[nr])"
_KEY_BLOCK = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[^-]{0,16000}(?:-(?!----)[^-]{0,4000}){0,40}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rf"|{_BREAK}{{0,8}}[A-Za-z0-9+/=]{{16,}}(?:{_BREAK}{{1,8}}[A-Za-z0-9+/=]{{16,}}){{0,400}}"
    rf"(?:{_BREAK}{{1,8}}[A-Za-z0-9+/=]{{1,15}}\Z)?)"
)
"""To its end; where that is missing, as far as it is lines of base64."""

_NAMES = (
    "password", "passwd", "passphrase", "pwd", "secret", "token", "api[_ -]?key", "apikey", "access[_ -]?key",
    "private[_ -]?key", "secret[_ -]?key", "auth[_ -]?key", "credentials",
)  # fmt: skip
_IS = r"[\"'`]?[ \t]{0,3}(?:=>|:=|==?|:)[ \t]{0,3}[\"'`]?"


_AWS_NAMES = ("secret[_ -]?access[_ -]?key", "aws[_ -]?secret[_ -]?key")


def _named(names: Iterable[str], value: str) -> str:
    cased = (_any_case(name.replace("[_ -]?", "\0")).replace("\0", "[_ -]?") for name in names)
    return rf"(?:{'|'.join(cased)}){_IS}(?P<secret>{value})"


_WORD = "[A-Za-z0-9_-]"
_TOKENS = (
    ("AWS_ACCESS_KEY", "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])", "AWS IAM User Guide, unique identifiers"),
    ("AWS_BEDROCK_KEY", r"ABSK[A-Za-z0-9+/]{100,}={0,2}|bedrock-api-key-[\w+/=-]{20,}", "Amazon Bedrock, API keys"),
    ("GITHUB_TOKEN", "gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{36,}", "GitHub Docs, token formats"),
    ("GITLAB_TOKEN", r"gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[\w.-]{20,}", "GitLab Docs, tokens"),
    ("SLACK_TOKEN", r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}", "Slack API"),
    ("STRIPE_KEY", "(?:[sr]k_(?:test|live|prod)|whsec)_[A-Za-z0-9]{10,}", "Stripe Docs, API keys"),
    ("ANTHROPIC_KEY", f"sk-ant-{_WORD}{{20,}}", "Anthropic API reference"),
    ("OPENROUTER_KEY", f"sk-or-{_WORD}{{20,}}", "OpenRouter docs"),
    ("OPENAI_KEY", f"sk-(?:proj|svcacct|admin)-{_WORD}{{20,}}", "OpenAI API reference"),
    ("GOOGLE_KEY", rf"AIza{_WORD}{{35}}|GOCSPX-{_WORD}{{28}}|ya29\.{_WORD}{{20,}}", "Google Cloud docs"),
    ("API_KEY", "gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{60,}|pplx-[A-Za-z0-9]{40,}", "Groq, xAI, Perplexity"),
    ("API_KEY", f"hf_[A-Za-z0-9]{{34,}}|r8_[A-Za-z0-9]{{37}}|jina_{_WORD}{{40,}}", "Hugging Face, Replicate, Jina"),
    ("API_KEY", rf"SG\.{_WORD}{{16,32}}\.{_WORD}{{32,}}|SK[0-9a-f]{{32}}(?!{_WORD})", "SendGrid, Twilio"),
    ("API_KEY", f"npm_[A-Za-z0-9]{{36,}}|pypi-{_WORD}{{50,}}|rubygems_[0-9a-f]{{48}}", "npm, PyPI, RubyGems"),
    ("API_KEY", "dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}", "DigitalOcean, Shopify"),
    ("API_KEY", "dapi[0-9a-f]{32}|lin_api_[A-Za-z0-9]{40}|ntn_[A-Za-z0-9]{40,}", "Databricks, Linear, Notion"),
    ("API_KEY", rf"glsa_[A-Za-z0-9]{{32}}_[0-9A-Fa-f]{{8}}|hvs\.{_WORD}{{90,}}", "Grafana, HashiCorp Vault"),
    ("API_KEY", r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}|sntrys_[\w+/=-]{40,}|pscale_[a-z]{2,5}_[\w=.-]{32,}",
     "age, Sentry, PlanetScale"),
    ("JWT", rf"eyJ{_WORD}{{14,1500}}\.eyJ{_WORD}{{8,}}(?:\.{_WORD}*)?", "RFC 7519"),
)  # fmt: skip
"""Kind, form, and who documents it."""

RULES = (
    Rule("PRIVATE_KEY", _KEY_BLOCK, _key_block, "RFC 7468; RFC 4716; OpenPGP, RFC 9580"),
    *(Rule(kind, form, None, source, _START) for kind, form, source in _TOKENS),
    Rule("API_KEY", "sk-[A-Za-z0-9]{32,}|fw_[A-Za-z0-9]{22,}|key-[0-9a-f]{32}(?![0-9a-z])", _random,
         "OpenAI, DeepSeek, Fireworks, Mailgun", _START),
    Rule("SLACK_WEBHOOK", r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w+/]{30,}", None, "Slack API"),
    Rule("BEARER_TOKEN", rf"{_any_case('bearer')}[ \t]{{1,3}}(?P<secret>[\w.~+/-]{{16,}}={{0,2}})", _random,
         "RFC 6750", _NO_LETTER),
    Rule("BASIC_AUTH", rf"{_any_case('basic')}[ \t]{{1,3}}(?P<secret>[A-Za-z0-9+/]{{12,}}={{0,2}})", _basic,
         "RFC 7617", _NO_LETTER),
    Rule("URL_PASSWORD", r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,100}:(?P<secret>[^\s/@\"'<>]{3,})@",
         _url_password,
         "RFC 3986, 3.2.1", "(?<![A-Za-z0-9+.-])"),
    Rule("AWS_SECRET_KEY", _named(_AWS_NAMES, "[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"), None, "AWS IAM, access keys"),
    Rule("PASSWORD", _named(_NAMES, r"[^\s\"'`,;<>&]{6,1024}"), _password, "gitleaks, generic-api-key"),
)  # fmt: skip
"""In this order: the more exact form first."""


class SecretsFilter(RuleFilter):
    """Replaces credentials with their kind: `[GITHUB_TOKEN]`; `action="block"` refuses a text that holds one.

    `kinds` are those to look for, by default all of `secrets.RULES`. Of `password=hunter42x` the value is replaced
    alone. Raises `ConfigurationError` for an unknown kind.
    """

    name = "secrets"

    def __init__(self, kinds: Iterable[str] | None = None, *, action: Action = "redact") -> None:
        super().__init__(chosen(RULES, kinds), action=action)


def chosen(rules: tuple[Rule, ...], kinds: Iterable[str] | None) -> tuple[Rule, ...]:
    """The rules of these kinds; all of them for `None`. Raises `ConfigurationError` for a kind there is no rule of."""
    if kinds is None:
        return rules
    from ..errors import ConfigurationError

    wanted = {kinds} if isinstance(kinds, str) else set(kinds)
    known = {rule.kind for rule in rules}
    if not wanted or not wanted <= known:
        raise ConfigurationError(f"kinds is {sorted(wanted)!r}.", fix=f"Choose among {', '.join(sorted(known))}.")
    return tuple(rule for rule in rules if rule.kind in wanted)
