"""Objects in a bucket: kept, read, deleted, and put only where nothing is."""

import pytest

import servers
from lambdallm.llm.backends import ConditionFailed
from lambdallm.llm.errors import ProviderTimeoutError
from lambdallm.llm.flow import Send
from lambdallm.llm.services import AwsService, S3Bucket, ServiceError
from lambdallm.llm.services.bucket import S3
from lambdallm.testing import Script
from lambdallm.transport.types import HttpResponse

ODD_KEYS = ["plain", "a b/ü", "a//b", "c+d=e&f?g#h%20", "日本/~._-", "trailing/"]


@pytest.fixture
def bucket(aws, run):
    run(AwsService(S3).answer("CreateBucket", "PUT", "/bucket-of-tests"))
    return S3Bucket("bucket-of-tests", prefix=f"{run.__name__}/")


def test_what_is_put_is_read_until_it_is_deleted(bucket, run):
    data = bytes(range(256)) * 400
    assert run(bucket.get("k")) is None
    assert run(bucket.put("k", data, metadata={"kind": "turn"}))
    assert run(bucket.get("k")) == data
    run(bucket.delete("k"))
    run(bucket.delete("k"))
    assert run(bucket.get("k")) is None


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_are_kept_apart(bucket, run, key):
    run(bucket.put(key, key.encode()))
    assert run(bucket.get(key)) == key.encode()


def test_a_put_where_something_is_can_be_refused(bucket, run):
    run(bucket.delete("once"))
    first = run(bucket.put("once", b"1", if_absent=True))
    with pytest.raises(ConditionFailed):
        run(bucket.put("once", b"2", if_absent=True))
    second = run(bucket.put("once", b"2", if_match=first))
    with pytest.raises(ConditionFailed):
        run(bucket.put("once", b"3", if_match=first))
    assert (run(bucket.get("once")), second != first) == (b"2", True)


def test_a_missing_bucket_is_named(aws, run):
    with pytest.raises(ServiceError, match=r"'nothing-here/k'.*Create the bucket"):
        run(S3Bucket("nothing-here").get("k"))


@pytest.mark.parametrize("key", ["", "x" * 1025])
def test_what_is_no_key_is_refused_here(key):
    with pytest.raises(ServiceError, match="is no key of S3"):
        Script([], servers.AWS).run(S3Bucket("b").get(key))


@pytest.mark.parametrize(
    ("name", "environ", "url"),
    [
        ("b", {}, "https://b.s3.us-east-1.amazonaws.com/k"),
        ("with.dots", {}, "https://s3.us-east-1.amazonaws.com/with.dots/k"),
        ("b", {"AWS_REGION": "cn-north-1"}, "https://b.s3.cn-north-1.amazonaws.com.cn/k"),
        ("b", {"AWS_ENDPOINT_URL_S3": "http://local:1"}, "http://local:1/b/k"),
    ],
)
def test_where_a_bucket_is(name, environ, url):
    script = Script([HttpResponse(204)], servers.AWS | environ)
    script.run(S3Bucket(name).delete("k"))
    assert script.of(Send)[0].request.url == url


def test_a_conditional_put_that_may_have_been_done_is_not_repeated():
    """The second would find the first's own work, and call it somebody else's."""
    with pytest.raises(ServiceError):
        Script([ProviderTimeoutError("No.")], servers.AWS).run(S3Bucket("b").put("k", b"", if_absent=True))
    script = Script([ProviderTimeoutError("No."), HttpResponse(200)], servers.AWS)
    script.run(S3Bucket("b", jitter=lambda: 0.0).put("k", b""))
    assert len(script.of(Send)) == 2


def test_a_conditional_put_that_met_another_is_repeated():
    conflict = HttpResponse(409, body=b"<Error><Code>ConditionalRequestConflict</Code></Error>")
    script = Script([conflict, HttpResponse(200)], servers.AWS)
    script.run(S3Bucket("b", jitter=lambda: 0.0).put("k", b"", if_absent=True))


def test_a_bucket_of_another_region_says_so():
    moved = HttpResponse(
        301, body=b"<Error><Code>PermanentRedirect</Code><Message>Elsewhere &amp; so.</Message></Error>"
    )
    with pytest.raises(ServiceError, match=r"Elsewhere & so .*Name the bucket's own region"):
        Script([moved], servers.AWS).run(S3Bucket("b").get("k"))
