"""Common personal data in text: forms with a checksum or a shape of their own.

Names, addresses and dates of birth have no form: give the names you know as `names`. Checks keep version numbers,
hashes, dates and identifiers from being taken for something else, not always: an invented number may be a valid one.

Sources: RFC 5321 (e-mail), ITU-T E.164 and the North American numbering plan (phone), ISO/IEC 7812 and Luhn (cards),
ISO 13616 and the SWIFT registry (IBAN), the Social Security Administration (SSN), RFC 4291 (IPv6).
"""

from __future__ import annotations

from .rules import Rule, RuleFilter
from .secrets import chosen
from .words import words_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .rules import Action


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _phone(text: str) -> int:
    """All of a number with as many digits as one may have."""
    return len(text) if 8 <= len(_digits(text)) <= 15 else 0


def _national_phone(text: str) -> int:
    """Nine to eleven digits, in groups that are no date."""
    return len(text) if 9 <= len(_digits(text)) <= 11 else 0


_CARDS = (
    (("34", "37"), (15,)), (("4",), (13, 16, 19)), (("51", "52", "53", "54", "55"), (16,)),
    (("22", "23", "24", "25", "26", "27"), (16,)), (("6",), (16, 17, 18, 19)), (("30", "36", "38", "39"), (14,)),
    (("35",), (16,)), (("50", "56", "57", "58"), (16,)),
)  # fmt: skip
"""Which numbers begin how and have how many digits: American Express, Visa, Mastercard, and so on."""


def _card(text: str) -> int:
    """All of a number of a known issuer whose last digit is Luhn's."""
    digits = _digits(text)
    known = any(digits.startswith(begins) and len(digits) in lengths for begins, lengths in _CARDS)
    return len(text) if known and _luhn(digits) and len(set(digits)) > 1 else 0


def _luhn(digits: str) -> bool:
    total = sum(map(int, digits[-1::-2])) + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return total % 10 == 0


_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


def _iban(text: str) -> int:
    """As much as an IBAN of its country has, where the checksum is right."""
    length, places = _IBAN_LENGTHS.get(text[:2], 0), [n for n, c in enumerate(text) if c != " "]
    if not length or len(places) < length:
        return 0
    number = "".join(text[n] for n in places[:length])
    value = int("".join(str(int(c, 36)) for c in number[4:] + number[:4]))
    return places[length - 1] + 1 if value % 97 == 1 else 0


def _ipv4(text: str) -> int:
    """An address of somebody: not of this machine, not a mask."""
    return 0 if text.startswith(("0.", "127.", "255.")) else len(text)


def _ipv6(text: str) -> int:
    """What is an address and looks like none of a language's own `a::b`."""
    from ipaddress import IPv6Address

    try:
        address = IPv6Address(text)
    except ValueError:
        return 0
    return len(text) if any(c.isdigit() for c in text) and not (address.is_loopback or address.is_unspecified) else 0


_THREE = "[2-9][0-9]{2}"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"

_APART = r"(?<![\w.+-])"
"""Not in the middle of a longer number, name or version."""

RULES = (
    Rule("EMAIL", r"[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}", None, "RFC 5321", r"(?<![\w.%+-])"),
    Rule("IBAN", "[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}", _iban, "ISO 13616", "(?<![A-Za-z0-9])"),
    Rule("CREDIT_CARD", "[0-9](?:[ -]?[0-9]){12,18}(?![ -]?[0-9]|[A-Za-z_])", _card, "ISO/IEC 7812", _APART),
    Rule("SSN", r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![\w-])", None, "SSA", r"(?<![\w-])"),
    Rule("IP_ADDRESS", rf"(?:{_OCTET}\.){{3}}{_OCTET}(?![\w-]|\.[0-9])", _ipv4, "RFC 791", _APART),
    Rule("IP_ADDRESS", r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])", _ipv6, "RFC 4291", r"(?<![\w:.])"),
    Rule("PHONE", r"(?:\+|00)[1-9](?:[ \u00a0.()/-]{0,3}[0-9]){7,14}(?!\w)", _phone, "ITU-T E.164", _APART),
    Rule("PHONE", rf"(?:1[ .-])?(?:\({_THREE}\) ?|{_THREE}[ .-]){_THREE}[ .-][0-9]{{4}}(?![\w-])", None,
         "North American numbering plan", _APART),
    Rule("PHONE", r"(?:\(0[0-9]{1,4}\)|0[0-9]{1,4})(?:[ \u00a0][0-9]{2,4}){2,4}(?![\w-]|[ \u00a0.][0-9])",
         _national_phone, "Ofcom, ARCEP, Bundesnetzagentur: national numbers", _APART),
)  # fmt: skip


class PersonalDataFilter(RuleFilter):
    """Replaces e-mail addresses, phone and card numbers, IBANs, US social security numbers and IP addresses.

        PersonalDataFilter(["EMAIL", "PHONE"], names=["Ada Lovelace"])

    `kinds` are those to look for, by default all; `names` are further words to replace, as `[NAME]`. Raises
    `ConfigurationError` for an unknown kind.
    """

    name = "personal_data"

    def __init__(
        self, kinds: Iterable[str] | None = None, *, names: Iterable[str] = (), action: Action = "redact"
    ) -> None:
        named = tuple(names)
        known = (Rule("NAME", f"(?i:{words_pattern(named)})"),) if named else ()
        super().__init__((*chosen(RULES, kinds), *known), action=action)
