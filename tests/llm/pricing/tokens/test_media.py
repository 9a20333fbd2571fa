"""Images, documents and sound count by the rules that the providers publish."""

import struct
import zlib

import pytest

from lambdallm.llm.pricing.tokens import EstimatingCounter
from lambdallm.llm.pricing.tokens.families import family_of
from lambdallm.llm.pricing.tokens.media import UNKNOWN_SECONDS, image_size, image_tokens
from lambdallm.llm.types import AudioPart, ChatMessage, DocumentPart


def png(width, height):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))


def jpeg(width, height):
    skipped = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF" + b"\0" * 10
    return b"\xff\xd8" + skipped + b"\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width) + b"\0" * 12


def gif(width, height):
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0" * 8


def webp(width, height):
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + b"\0" * 4 + b"WEBPVP8X" + b"\0" * 8 + size + b"\0" * 8


@pytest.mark.parametrize("write", [png, jpeg, gif, webp])
def test_a_size_is_read_from_the_header(write):
    assert image_size(write(640, 480)) == (640, 480)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", png(0, 5), b"<svg/>", b"\xff\xd8" + b"\xff\xe0\0\2"]
)
def test_what_is_no_image_has_no_size(data):
    assert image_size(data) is None


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [
        ("gpt-4o", (1024, 1024), 765),  # OpenAI's own examples
        ("gpt-4o", (2048, 4096), 1105),
        ("gpt-4o-mini", (1024, 1024), 2833 + 4 * 5667),
        ("gpt-5", (1024, 1024), 70 + 4 * 140),
        ("o3", (512, 512), 75 + 150),
        ("gpt-4.1-mini", (1024, 1024), round(1024 * 1.62)),
        ("claude-sonnet-4-5", (200, 200), 53),  # Anthropic's table: 54, 1334, 1590
        ("claude-sonnet-4-5", (1000, 1000), 1333),
        ("claude-sonnet-4-5", (1092, 1092), 1590),
        ("claude-sonnet-4-5", (4000, 4000), 1600),
        ("gemini-2.5-flash", (384, 384), 258),
        ("gemini-2.5-flash", (960, 540), 6 * 258),  # Google's example: crop unit 360, six tiles
        ("gemini-3.5-flash", (4000, 3000), 1120),
    ],
)
def test_an_image_counts_as_published(model, size, tokens):
    assert image_tokens(family_of(model), png(*size), None) == pytest.approx(tokens, abs=2)


def test_low_detail_counts_its_base():
    assert image_tokens(family_of("gpt-4o"), png(2000, 2000), "low") == 85


def test_an_image_of_unknown_size_counts_as_one_of_a_megapixel():
    unknown = image_tokens(family_of("gpt-4o"), None, None)
    assert unknown == image_tokens(family_of("gpt-4o"), png(1024, 1024), None)


def counted(part, model="gemini-2.5-flash"):
    counter = EstimatingCounter()
    bare = counter.count_messages([ChatMessage("user", ())], model)
    return counter.count_messages([ChatMessage("user", (part,))], model) - bare


def wav(seconds, rate=32_000):
    head = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate // 2, rate, 2, 16) + b"data\0\0\0\0"
    return head + b"\0" * (seconds * rate)


def test_sound_counts_by_its_seconds():
    assert counted(AudioPart(wav(10), "audio/wav")) == pytest.approx(10 * 32, abs=1)
    assert counted(AudioPart(b"\0" * 160_000, "audio/mpeg")) == 10 * 32
    assert counted(DocumentPart(url="gs://a/b.mp3", media_type="audio/mpeg")) == UNKNOWN_SECONDS * 32


def test_video_counts_by_its_seconds():
    assert counted(DocumentPart(b"\0" * 2_500_000, "video/mp4")) == 10 * 263


def test_a_pdf_counts_by_its_pages_and_text_by_its_words():
    pages = b"%PDF-1.7\n<</Type /Pages /Count 3>>" + b"<</Type /Page /Parent 1 0 R>>" * 3
    assert counted(DocumentPart(pages, "application/pdf")) == 3 * 258
    assert counted(DocumentPart(url="https://a.example/b.pdf")) == 258
    text = "Some plain text in a file."
    assert counted(DocumentPart(text.encode(), "text/plain")) == counted(DocumentPart(text=text)) < 15
