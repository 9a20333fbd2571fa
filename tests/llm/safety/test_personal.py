"""Personal data that has a form is found; numbers that only look like it are left alone."""

import pytest

from lambdallm.llm.safety import PersonalDataFilter
from lambdallm.llm.safety.personal import RULES
from look_alikes import HARMLESS

personal = PersonalDataFilter()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("EMAIL", "ada@example.com"),
        ("EMAIL", "ada.lovelace+tag@mail.example.co.uk"),
        ("EMAIL", "jörg@müller.example"),
        ("CREDIT_CARD", "4111111111111111"),
        ("CREDIT_CARD", "4012-8888-8888-1881"),
        ("CREDIT_CARD", "5555 5555 5555 4444"),
        ("CREDIT_CARD", "371449635398431"),
        ("CREDIT_CARD", "30569309025904"),
        ("CREDIT_CARD", "6011000400000000"),
        ("IBAN", "DE89370400440532013000"),
        ("IBAN", "GB29 NWBK 6016 1331 9268 19"),
        ("IBAN", "NO9386011117947"),
        ("SSN", "078-05-1120"),
        ("IP_ADDRESS", "203.0.113.7"),
        ("IP_ADDRESS", "2001:db8:85a3::8a2e:370:7334"),
        ("PHONE", "+49 30 901820"),
        ("PHONE", "+1-212-555-0123"),
        ("PHONE", "+44 (0)20 7946 0958"),
        ("PHONE", "0033 1 23 45 67 89"),
        ("PHONE", "(212) 555-0123"),
        ("PHONE", "212.555.0123"),
        ("PHONE", "1-800-555-0199"),
        ("PHONE", "020 7946 0958"),
        ("PHONE", "06 12 34 56 78"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "it is {}.", "({})", "{}, then", 'x="{}"'])
def test_every_form_is_found(kind, text, around):
    assert personal.apply(around.format(text)) == around.format(f"[{kind}]")


@pytest.mark.parametrize(
    "text", [*HARMLESS, "078-00-1120", "666-12-3456", "4111111111111112", "1.2.3.4.5", "300.1.2.3"]
)
def test_what_is_none_stays(text):
    assert personal.apply(text) == text


@pytest.mark.parametrize("text", ["DE89370400440532013001", "XX89370400440532013000", "DE8937"])
def test_an_iban_of_no_country_or_with_a_wrong_checksum_stays(text):
    assert personal.apply(text) == text


def test_words_after_an_iban_are_not_part_of_it():
    assert personal.apply("DE89 3704 0044 0532 0130 00 AND MORE") == "[IBAN] AND MORE"


def test_names_are_those_one_knows():
    one = PersonalDataFilter(["EMAIL"], names=["Ada Lovelace", "Bob"])
    assert one.apply("ADA  LOVELACE wrote to bob, not Bobby: a@b.org, 078-05-1120") == (
        "[NAME] wrote to [NAME], not Bobby: [EMAIL], 078-05-1120"
    )


def test_every_rule_says_where_its_form_is_documented():
    assert all(rule.source for rule in RULES)
