"""Sizes against Lambda's limits: what is near is told, what is over is refused with a way out."""

import pytest

from lambdallm.deploy.errors import BuildError
from lambdallm.deploy.report import MB, Report, check_unzipped, megabytes, parts

REPORT = Report("x.zip", "00" * 32, 1, 1, (), ("app.lambda_handler",), "3.12", "x86_64", "managed")


def test_parts_are_whose_the_bytes_are_the_largest_first():
    found = parts([("numpy", 5), ("your code", 1), ("numpy", 7)], {"numpy": "2.1"})
    assert [(part.owner, part.version, part.unzipped, part.files) for part in found] == [
        ("numpy", "2.1", 12, 2),
        ("your code", "", 1, 1),
    ]


def test_what_is_near_a_limit_is_told():
    assert REPORT.replace(unzipped=199 * MB, zipped=39 * MB).warnings == ()
    assert REPORT.replace(unzipped=200 * MB, zipped=40 * MB).warnings == (
        "Unzipped it has 80% of the 250 MB that a function and its layers may have.",
        "The zip is 80% of the 50 MB of a direct upload.",
    )
    assert REPORT.replace(zipped=51 * MB).warnings == (
        "The zip is over the 50 MB of a direct upload: deploy it from S3.",
    )


def test_at_the_limit_it_is_taken_and_a_byte_over_it_is_refused():
    check_unzipped(parts([("torch", 250 * MB)], {}))
    with pytest.raises(BuildError, match="Lambda takes 250 MB"):
        check_unzipped(parts([("torch", 250 * MB + 1)], {}))


def test_a_refusal_names_what_is_heaviest_and_what_can_go():
    with pytest.raises(BuildError) as told:
        check_unzipped(parts([("torch", 240 * MB), ("botocore", 20 * MB), ("your code", MB)], {}))
    assert str(told.value) == (
        "The package is 261 MB unzipped, and Lambda takes 250 MB: torch 240 MB, botocore 20 MB, your code 1.0 MB. "
        "Leave boto3 to the runtime (--without-boto3), drop the source text of dependencies (--no-sources), "
        "do without what is heaviest, or deploy a container image, which may have 10 GB."
    )


def test_the_way_out_of_large_data_is_another():
    with pytest.raises(BuildError, match=r"Name large files of yours in \.lambdaignore and read them from S3, or"):
        check_unzipped(parts([("your code", 300 * MB), ("lambdallm", MB)], {}))


def test_lambdas_own_hash_is_in_the_json():
    assert REPORT.to_dict()["code_sha256"] == "A" * 43 + "="


@pytest.mark.parametrize(("size", "text"), [(10, "0.0 kB"), (2048, "2.0 kB"), (MB, "1.0 MB"), (250 * MB, "250 MB")])
def test_sizes_as_a_person_reads_them(size, text):
    assert megabytes(size) == text
