"""Lambda's API, with boto3 as the client: what works on AWS works here, and what AWS refuses is refused as there."""

import base64
import json
import logging
from contextlib import closing, contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from fake_engine import CODE, FakeEmulator, failing, streaming
from lambdallm.runtime.emulator.account import Account
from lambdallm.runtime.emulator.api import OPERATIONS, ApiFront
from lambdallm.runtime.emulator.clock import Clock
from lambdallm.runtime.emulator.errors import TooManyRequestsError
from lambdallm.runtime.emulator.limits import Limits
from lambdallm.runtime.emulator.listener import Listener
from lambdallm.runtime.emulator.queues import MemoryQueue

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:app"
BUSY = "arn:aws:lambda:eu-west-1:123456789012:function:busy"


def busy(*_):
    raise TooManyRequestsError("Rate Exceeded.")


FUNCTIONS = {
    "app": lambda payload, answer: json.dumps({"got": json.loads(payload), "by": answer.version}).encode(),
    "bad": failing("the reason"),
    "busy": busy,
    "flow": streaming(b"one", b"two"),
}


@contextmanager
def serving(limits=None, queues=(), number=lambda: 0.5, **functions):
    emulator = FakeEmulator(limits, **{**FUNCTIONS, **functions})
    with (
        Account(emulator, queues=queues, number=number, clock=Clock(10_000)) as account,
        Listener(ApiFront(account)) as listener,
        closing(client(listener.address)) as made,
    ):
        yield made, emulator, account


def streamed(made, **arguments):
    """All events of a stream."""
    with closing(made.invoke_with_response_stream(**arguments)["EventStream"]) as events:
        return list(events)


def client(address):
    return boto3.client(
        "lambda",
        endpoint_url=address,
        region_name="eu-west-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"max_attempts": 1}, read_timeout=20, parameter_validation=False),
    )


@pytest.fixture(scope="module")
def lambda_():
    """A client of an account that tests do not change."""
    logging.getLogger("botocore").setLevel(logging.WARNING)
    with serving() as (made, _, _):
        yield made


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]


class TestInvoke:
    def test_the_answer_comes_back(self, lambda_):
        response = lambda_.invoke(FunctionName="app", Payload=b'{"a": 1}')
        assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
        assert json.load(response["Payload"]) == {"got": {"a": 1}, "by": "$LATEST"}
        assert "FunctionError" not in response
        assert "LogResult" not in response
        assert response["ResponseMetadata"]["RequestId"]

    def test_no_payload_is_an_empty_object(self, lambda_):
        assert json.load(lambda_.invoke(FunctionName="app")["Payload"])["got"] == {}

    @pytest.mark.parametrize("name", ["app", ARN, "123456789012:function:app", f"{ARN}:$LATEST", "app:$LATEST"])
    def test_a_function_has_several_names(self, lambda_, name):
        assert lambda_.invoke(FunctionName=name)["StatusCode"] == 200

    def test_the_end_of_the_log_comes_where_it_is_wanted(self, lambda_):
        response = lambda_.invoke(FunctionName="app", LogType="Tail")
        assert "hello from the function" in base64.b64decode(response["LogResult"]).decode()

    def test_an_error_of_the_function_is_an_answer(self, lambda_):
        response = lambda_.invoke(FunctionName="bad")
        assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
        assert json.load(response["Payload"])["errorMessage"] == "the reason"

    def test_a_dry_run_runs_nothing(self):
        with serving() as (made, emulator, _):
            assert made.invoke(FunctionName="app", InvocationType="DryRun")["StatusCode"] == 204
            assert emulator.calls == []

    def test_the_client_context_arrives_as_json(self):
        with serving() as (made, emulator, _):
            made.invoke(FunctionName="app", ClientContext=base64.b64encode(b'{"custom": {"a": "b"}}').decode())
            assert emulator.calls[0][3] == '{"custom": {"a": "b"}}'

    def test_what_is_no_json_is_refused(self, lambda_):
        status, code, message = refused(lambda_.invoke, FunctionName="app", Payload=b"{")
        assert (status, code) == (400, "InvalidRequestContentException")
        assert message.startswith("Could not parse request body into json: ")

    @pytest.mark.parametrize("context", ["%", base64.b64encode(b"{").decode(), base64.b64encode(b"1" * 4000).decode()])
    def test_a_client_context_that_is_none_is_refused(self, lambda_, context):
        assert refused(lambda_.invoke, FunctionName="app", ClientContext=context)[1] == "InvalidRequestContentException"

    def test_a_function_that_is_not_there(self, lambda_):
        expected = (404, "ResourceNotFoundException", f"Function not found: {ARN.replace('app', 'none')}")
        assert refused(lambda_.invoke, FunctionName="none") == expected

    def test_a_qualifier_that_is_not_there(self, lambda_):
        for qualifier in ("7", "live"):
            expected = (404, "ResourceNotFoundException", f"Function not found: {ARN}:{qualifier}")
            assert refused(lambda_.invoke, FunctionName="app", Qualifier=qualifier) == expected

    def test_two_qualifiers_that_differ(self, lambda_):
        said = refused(lambda_.invoke, FunctionName="app:1", Qualifier="2")
        assert said[1] == "InvalidParameterValueException"
        assert said[2].startswith("The derived qualifier from the function name does not match")

    def test_too_many_at_once(self, lambda_):
        with pytest.raises(lambda_.exceptions.TooManyRequestsException) as caught:
            lambda_.invoke(FunctionName="busy")
        assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
        assert caught.value.response["Type"] == "User"

    def test_a_payload_that_is_too_large(self):
        with serving(Limits(sync_bytes=2000, async_bytes=1000)) as (made, emulator, _):
            for size, kind in ((3000, "RequestResponse"), (1500, "Event")):
                payload = json.dumps("x" * size).encode()
                status, code, _ = refused(made.invoke, FunctionName="app", Payload=payload, InvocationType=kind)
                assert (status, code) == (413, "RequestTooLargeException")
            assert emulator.calls == []

    def test_a_payload_that_is_not_kept_is_never_half_an_event(self, monkeypatch):
        monkeypatch.setattr("lambdallm.runtime.emulator.listener.KEPT_BYTES", 1000)
        payload = json.dumps("x" * 2000).encode()
        with serving(Limits()) as (made, emulator, _):
            for invoke in (made.invoke, made.invoke_with_response_stream):
                assert refused(invoke, FunctionName="app", Payload=payload)[:2] == (413, "RequestTooLargeException")
            said = refused(made.publish_version, FunctionName="app", Description="x" * 2000)
            assert said[:2] == (413, "RequestTooLargeException")
            assert emulator.calls == []

    def test_boto3_tries_a_throttle_again_and_nothing_that_would_fail_again(self):
        with serving(Limits(sync_bytes=100)) as (made, _, _):
            said = {}
            for name, payload in (("busy", b"{}"), ("none", b"{}"), ("app", b"no"), ("app", b'"%b"' % (b"x" * 100))):
                with pytest.raises(ClientError) as caught:
                    made.invoke(FunctionName=name, Payload=payload)
                error = caught.value.response
                said[error["Error"]["Code"]] = error["ResponseMetadata"]["RetryAttempts"]
        assert said == {
            "TooManyRequestsException": 1,
            "ResourceNotFoundException": 0,
            "InvalidRequestContentException": 0,
            "RequestTooLargeException": 0,
        }

    def test_a_type_that_is_none_is_told_as_aws_tells_it(self, lambda_):
        code, message = refused(lambda_.invoke, FunctionName="app", InvocationType="Never")[1:]
        assert code == "ValidationException"
        assert message == (
            "1 validation error detected: Value 'Never' at 'invocationType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
        )

    def test_an_event_is_taken_and_run(self):
        with serving() as (made, emulator, account):
            response = made.invoke(FunctionName="app", InvocationType="Event", Payload=b'{"a": 1}')
            assert (response["StatusCode"], response["Payload"].read()) == (202, b"")
            assert account.events.drain(20)
            assert emulator.calls[0][:2] == ("app", b'{"a": 1}')

    def test_the_old_way_to_send_an_event(self):
        with serving() as (made, emulator, account):
            assert made.invoke_async(FunctionName="app", InvokeArgs=b"{}")["Status"] == 202
            assert account.events.drain(20)
            assert len(emulator.calls) == 1


class TestStreams:
    def test_pieces_come_as_events_and_the_end_says_so(self, lambda_):
        events = streamed(lambda_, FunctionName="flow", Payload=b"{}", LogType="Tail")
        assert [event["PayloadChunk"]["Payload"] for event in events[:-1]][2:] == [b"one", b"two"]
        assert "hello" in base64.b64decode(events[-1]["InvokeComplete"]["LogResult"]).decode()
        assert "ErrorCode" not in events[-1]["InvokeComplete"]

    def test_the_first_piece_arrives_before_the_second_is_made(self):
        answers = []

        def slow(_payload, answer):
            answer.streams("application/octet-stream")
            answer.put(b"one")
            answers.append(answer)

        with serving(slow=slow) as (made, _, _):
            response = made.invoke_with_response_stream(FunctionName="slow")
            assert response["ExecutedVersion"] == "$LATEST"
            events = iter(response["EventStream"])
            assert next(events) == {"PayloadChunk": {"Payload": b"one"}}
            answers[0].put(b"two")
            answers[0].over()
            assert next(events) == {"PayloadChunk": {"Payload": b"two"}}
            assert next(events) == {"InvokeComplete": {}}
            response["EventStream"].close()

    def test_a_buffered_answer_is_one_piece(self, lambda_):
        first, last = streamed(lambda_, FunctionName="app", Payload=b"{}")
        assert json.loads(first["PayloadChunk"]["Payload"])["got"] == {}
        assert last == {"InvokeComplete": {}}

    def test_a_failure_is_told_at_the_end(self, lambda_):
        (last,) = streamed(lambda_, FunctionName="bad")
        assert last["InvokeComplete"]["ErrorCode"] == "Unhandled"
        assert json.loads(last["InvokeComplete"]["ErrorDetails"])["errorMessage"] == "the reason"

    def test_a_failure_in_the_middle_is_told_at_the_end(self):
        def half(_payload, answer):
            answer.streams("text/plain")
            answer.put(b"half")
            answer.over({"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 3.00 seconds"})

        with serving(half=half) as (made, _, _):
            first, last = streamed(made, FunctionName="half")
        assert first["PayloadChunk"]["Payload"] == b"half"
        assert last["InvokeComplete"] == {"ErrorCode": "Unhandled", "ErrorDetails": "Task timed out after 3.00 seconds"}

    def test_refusals_are_the_same(self, lambda_):
        stream = lambda_.invoke_with_response_stream
        assert refused(stream, FunctionName="none")[1] == "ResourceNotFoundException"
        assert refused(stream, FunctionName="app", InvocationType="Event")[1] == "ValidationException"
        dry = stream(FunctionName="app", InvocationType="DryRun")
        dry["EventStream"].close()
        assert dry["StatusCode"] == 204


class TestFunctions:
    def test_all_are_listed(self, lambda_):
        found = lambda_.list_functions()["Functions"]
        assert [each["FunctionName"] for each in found] == ["app", "bad", "busy", "flow"]

    def test_lists_come_in_pages(self, lambda_):
        pages = lambda_.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 3})
        assert [len(page["Functions"]) for page in pages] == [3, 1]

    def test_one_is_described(self, lambda_):
        found = lambda_.get_function(FunctionName="app")
        configuration = found["Configuration"]
        assert configuration["FunctionArn"] == ARN
        assert (configuration["Handler"], configuration["Timeout"], configuration["MemorySize"]) == (
            "app.lambda_handler", 3, 128,
        )  # fmt: skip
        assert (configuration["Version"], configuration["State"]) == ("$LATEST", "Active")
        assert found["Code"]["Location"] == f"file://{CODE}"
        same = lambda_.get_function_configuration(FunctionName="app")
        del same["ResponseMetadata"]
        assert same == configuration

    def test_code_that_can_t_be_read_is_told(self):
        with serving() as (made, emulator, _):
            emulator.functions["app"] = emulator.functions["app"].replace(code="/not/there")
            status, code, message = refused(made.get_function, FunctionName="app")
        assert (status, code) == (500, "ServiceException")
        assert "/not/there" in message

    def test_waiters_work(self, lambda_):
        lambda_.get_waiter("function_active_v2").wait(FunctionName="app")
        lambda_.get_waiter("function_updated_v2").wait(FunctionName="app")

    def test_settings_are_changed(self):
        queue = MemoryQueue("dead", region="eu-west-1")
        with serving(queues=[queue]) as (made, emulator, _):
            changed = made.update_function_configuration(
                FunctionName="app",
                Timeout=30,
                MemorySize=512,
                Environment={"Variables": {"A": "b"}},
                DeadLetterConfig={"TargetArn": queue.arn},
            )
            assert (changed["Timeout"], changed["MemorySize"]) == (30, 512)
            assert changed["Environment"]["Variables"] == {"A": "b"}
            assert changed["DeadLetterConfig"] == {"TargetArn": queue.arn}
            assert (emulator.functions["app"].timeout, dict(emulator.functions["app"].environment)) == (30, {"A": "b"})

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"Timeout": 901}, "ValidationException"),
            ({"MemorySize": 1}, "ValidationException"),
            ({"Role": "arn:aws:iam::123456789012:role/x"}, "InvalidParameterValueException"),
            ({"DeadLetterConfig": {"TargetArn": MemoryQueue("no").arn}}, "InvalidParameterValueException"),
            ({"DeadLetterConfig": {"TargetArn": ARN.replace(":lambda:", ":sns:")}}, "InvalidParameterValueException"),
        ],
    )  # fmt: skip
    def test_settings_that_lambda_or_the_emulator_does_not_know_are_refused(self, lambda_, change, code):
        assert refused(lambda_.update_function_configuration, FunctionName="app", **change)[1] == code

    def test_an_operation_that_is_not_emulated_is_named(self, lambda_):
        status, _, message = refused(lambda_.get_policy, FunctionName="app")
        assert status == 404
        assert "GET /2015-03-31/functions/app/policy is no operation of Lambda that is emulated." in message


class TestVersions:
    def test_versions_are_numbered_and_stay(self, tmp_path):
        with serving() as (made, emulator, _):
            emulator.functions["app"] = emulator.functions["app"].replace(code=str(tmp_path))
            (tmp_path / "app.py").write_text("one")
            first = made.publish_version(FunctionName="app", Description="the first")
            assert (first["Version"], first["FunctionArn"]) == ("1", f"{ARN}:1")
            (tmp_path / "app.py").write_text("two")
            second = made.publish_version(FunctionName="app")
            assert second["Version"] == "2"
            assert second["CodeSha256"] != first["CodeSha256"]
            found = made.list_versions_by_function(FunctionName="app")["Versions"]
            assert [each["Version"] for each in found] == ["$LATEST", "1", "2"]
            assert found[1]["Description"] == "the first"
            location = made.get_function(FunctionName="app", Qualifier="1")["Code"]["Location"]
            assert Path(location.removeprefix("file://"), "app.py").read_text() == "one"

    def test_nothing_changed_is_no_new_version(self):
        with serving() as (made, emulator, _):
            assert made.publish_version(FunctionName="app")["Version"] == "1"
            assert made.publish_version(FunctionName="app")["Version"] == "1"
            emulator.functions["app"] = emulator.functions["app"].replace(memory_mb=256)
            assert made.publish_version(FunctionName="app")["Version"] == "2"

    def test_other_code_than_was_meant_is_refused(self):
        with serving() as (made, _, _):
            publish = made.publish_version
            assert refused(publish, FunctionName="app", CodeSha256="x")[1] == "InvalidParameterValueException"
            assert refused(publish, FunctionName="app", RevisionId="x")[:2] == (412, "PreconditionFailedException")

    def test_copies_are_gone_with_the_account(self):
        with serving() as (made, _, account):
            made.publish_version(FunctionName="app")
            (published,) = account.versions.of("app")
            assert Path(published.code, "sqs.json").exists()
        assert not Path(published.code).exists()


class TestAliases:
    def test_an_alias_is_made_read_changed_and_removed(self):
        with serving() as (made, _, _):
            made.publish_version(FunctionName="app")
            alias = made.create_alias(FunctionName="app", Name="live", FunctionVersion="1", Description="d")
            assert (alias["AliasArn"], alias["FunctionVersion"], alias["Description"]) == (f"{ARN}:live", "1", "d")
            changed = made.update_alias(FunctionName="app", Name="live", FunctionVersion="$LATEST")
            assert (changed["FunctionVersion"], changed["Description"]) == ("$LATEST", "d")
            assert changed["RevisionId"] != alias["RevisionId"]
            assert made.get_alias(FunctionName="app", Name="live")["FunctionVersion"] == "$LATEST"
            made.create_alias(FunctionName="app", Name="old", FunctionVersion="1")
            assert [each["Name"] for each in made.list_aliases(FunctionName="app")["Aliases"]] == ["live", "old"]
            (one,) = made.list_aliases(FunctionName="app", FunctionVersion="1")["Aliases"]
            assert one["Name"] == "old"
            made.delete_alias(FunctionName="app", Name="old")
            assert refused(made.get_alias, FunctionName="app", Name="old")[1] == "ResourceNotFoundException"

    def test_invocations_go_by_weight_and_the_executed_version_is_told(self):
        numbers = iter([0.0, 0.09, 0.1, 0.99])
        with serving(number=lambda: next(numbers)) as (made, emulator, _):
            made.publish_version(FunctionName="app")
            emulator.functions["app"] = emulator.functions["app"].replace(memory_mb=256)
            made.publish_version(FunctionName="app")
            routing = {"AdditionalVersionWeights": {"2": 0.1}}
            alias = made.create_alias(FunctionName="app", Name="live", FunctionVersion="1", RoutingConfig=routing)
            assert alias["RoutingConfig"] == routing
            versions = [made.invoke(FunctionName="app", Qualifier="live")["ExecutedVersion"] for _ in range(4)]
            assert versions == ["2", "2", "1", "1"]
            assert {call[2] for call in emulator.calls} == {"live"}

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            ({"FunctionVersion": "9"}, "ResourceNotFoundException"),
            ({"FunctionVersion": "x"}, "ValidationException"),
            ({"Name": "12"}, "ValidationException"),
            ({"RoutingConfig": {"AdditionalVersionWeights": {"9": 0.1}}}, "InvalidParameterValueException"),
            ({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}}, "InvalidParameterValueException"),
            ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.5}}}, "InvalidParameterValueException"),
            ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1, "3": 0.1}}}, "InvalidParameterValueException"),
            ({"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.1}}}, "InvalidParameterValueException"),
        ],
    )
    def test_aliases_that_lambda_would_not_take_are_refused(self, arguments, code):
        with serving() as (made, emulator, _):
            made.publish_version(FunctionName="app")
            emulator.functions["app"] = emulator.functions["app"].replace(memory_mb=256)
            made.publish_version(FunctionName="app")
            given = {"FunctionName": "app", "Name": "live", "FunctionVersion": "1"} | arguments
            assert refused(made.create_alias, **given)[1] == code

    def test_a_second_one_of_the_name_and_a_stale_change_are_refused(self):
        with serving() as (made, _, _):
            made.create_alias(FunctionName="app", Name="live", FunctionVersion="$LATEST")
            again = {"FunctionName": "app", "Name": "live", "FunctionVersion": "$LATEST"}
            assert refused(made.create_alias, **again)[:2] == (409, "ResourceConflictException")
            assert refused(made.update_alias, FunctionName="app", Name="live", RevisionId="x")[0] == 412


class TestConcurrency:
    def test_it_is_reserved_read_and_given_back(self):
        with serving() as (made, emulator, _):
            made.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=3)
            assert made.get_function_concurrency(FunctionName="app")["ReservedConcurrentExecutions"] == 3
            assert made.get_function(FunctionName="app")["Concurrency"] == {"ReservedConcurrentExecutions": 3}
            assert emulator.functions["app"].concurrency == 3
            made.delete_function_concurrency(FunctionName="app")
            assert "ReservedConcurrentExecutions" not in made.get_function_concurrency(FunctionName="app")
            assert emulator.functions["app"].concurrency == 10

    def test_none_at_all_refuses_every_invocation(self):
        with serving() as (made, emulator, _):
            made.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
            assert refused(made.invoke, FunctionName="app")[:2] == (429, "TooManyRequestsException")
            assert emulator.calls == []

    def test_a_number_is_needed(self, lambda_):
        put = lambda_.put_function_concurrency
        assert refused(put, FunctionName="app", ReservedConcurrentExecutions=-1)[1] == "ValidationException"


class TestEventSettings:
    def test_they_are_put_changed_read_and_removed(self):
        with serving() as (made, _, _):
            put = made.put_function_event_invoke_config(FunctionName="app", MaximumRetryAttempts=0)
            assert (put["MaximumRetryAttempts"], put["MaximumEventAgeInSeconds"]) == (0, 21_600)
            target = {"OnFailure": {"Destination": ARN.replace("app", "bad")}}
            made.update_function_event_invoke_config(FunctionName="app", DestinationConfig=target)
            got = made.get_function_event_invoke_config(FunctionName="app")
            assert got["MaximumRetryAttempts"] == 0
            assert got["DestinationConfig"] == {"OnSuccess": {}, **target}
            assert got["FunctionArn"] == f"{ARN}:$LATEST"
            made.delete_function_event_invoke_config(FunctionName="app")
            get = made.get_function_event_invoke_config
            assert refused(get, FunctionName="app")[1] == "ResourceNotFoundException"

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"MaximumRetryAttempts": 3}, "ValidationException"),
            ({"MaximumEventAgeInSeconds": 59}, "ValidationException"),
            (
                {"DestinationConfig": {"OnFailure": {"Destination": ARN.replace("app", "none")}}},
                "ResourceNotFoundException",
            ),
        ],
    )
    def test_what_lambda_would_not_take_is_refused(self, lambda_, given, code):
        assert refused(lambda_.put_function_event_invoke_config, FunctionName="app", **given)[1] == code


class TestEventSources:
    def test_a_mapping_is_made_read_changed_and_removed(self):
        queue = MemoryQueue("jobs", region="eu-west-1")
        with serving(queues=[queue]) as (made, _, _):
            mapping = made.create_event_source_mapping(
                EventSourceArn=queue.arn,
                FunctionName="app",
                BatchSize=5,
                ScalingConfig={"MaximumConcurrency": 2},
                FunctionResponseTypes=["ReportBatchItemFailures"],
            )
            assert (mapping["State"], mapping["BatchSize"], mapping["FunctionArn"]) == ("Creating", 5, ARN)
            found = made.get_event_source_mapping(UUID=mapping["UUID"])
            assert (found["State"], found["ScalingConfig"]) == ("Enabled", {"MaximumConcurrency": 2})
            assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
            changed = made.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False, BatchSize=7)
            assert (changed["State"], changed["BatchSize"], changed["FunctionResponseTypes"]) == (
                "Updating", 7, ["ReportBatchItemFailures"],
            )  # fmt: skip
            (listed,) = made.list_event_source_mappings(FunctionName="app")["EventSourceMappings"]
            assert (listed["UUID"], listed["State"]) == (mapping["UUID"], "Disabled")
            assert made.list_event_source_mappings(FunctionName="bad")["EventSourceMappings"] == []
            assert made.delete_event_source_mapping(UUID=mapping["UUID"])["State"] == "Deleting"
            get = made.get_event_source_mapping
            assert refused(get, UUID=mapping["UUID"])[:2] == (404, "ResourceNotFoundException")

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"EventSourceArn": MemoryQueue("none").arn}, "InvalidParameterValueException"),
            ({"EventSourceArn": ARN.replace(":lambda:", ":kinesis:")}, "InvalidParameterValueException"),
            ({"EventSourceArn": "jobs"}, "ValidationException"),
            ({"FunctionName": "none"}, "ResourceNotFoundException"),
            ({"BatchSize": 11}, "InvalidParameterValueException"),
            ({"BatchSize": 0}, "ValidationException"),
            ({"ScalingConfig": {"MaximumConcurrency": 1}}, "InvalidParameterValueException"),
            ({"FilterCriteria": {"Filters": []}}, "InvalidParameterValueException"),
        ],
    )
    def test_what_lambda_or_the_emulator_does_not_know_is_refused(self, given, code):
        queue = MemoryQueue("jobs", region="eu-west-1")
        with serving(queues=[queue]) as (made, _, _):
            arguments = {"EventSourceArn": queue.arn, "FunctionName": "app"} | given
            assert refused(made.create_event_source_mapping, **arguments)[1] == code

    def test_a_second_mapping_of_the_same_two_is_refused(self):
        queue = MemoryQueue("jobs", region="eu-west-1")
        with serving(queues=[queue]) as (made, _, _):
            arguments = {"EventSourceArn": queue.arn, "FunctionName": "app", "Enabled": False}
            made.create_event_source_mapping(**arguments)
            assert refused(made.create_event_source_mapping, **arguments)[:2] == (409, "ResourceConflictException")

    def test_a_queue_that_is_not_known_may_be_found(self):
        queue = MemoryQueue("jobs", region="eu-west-1")
        with Account(FakeEmulator(app=FUNCTIONS["app"]), open_queue={queue.arn: queue}.__getitem__) as account:
            assert account.sources.queue(queue.arn) is queue


def test_every_operation_has_the_path_and_the_status_of_botocores_own_description(lambda_):
    model = lambda_.meta.service_model
    known = {
        (http["method"], http["requestUri"]): http.get("responseCode", 200)
        for http in (model.operation_model(name).http for name in model.operation_names)
    }
    assert {key: status for key, (status, _) in OPERATIONS.items()} == {key: known[key] for key in OPERATIONS}
