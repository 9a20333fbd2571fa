"""REPORT lines as CloudWatch shows them, and what an invocation costs."""

import pytest

from lambdallm.runtime.emulator import Function
from lambdallm.runtime.emulator.report import cost_usd, init_report, report_of

FUNCTION = Function(name="app", code=".", memory_mb=1024)


def test_a_warm_invocation():
    line = str(report_of(FUNCTION, "id-1", 1.294, max_memory_mb=34))
    assert line == (
        "REPORT RequestId: id-1\tDuration: 1.29 ms\tBilled Duration: 2 ms\tMemory Size: 1024 MB\t"
        "Max Memory Used: 34 MB\t"
    )


def test_a_cold_start_is_billed():
    report = report_of(FUNCTION, "id-1", 10.0, init_ms=131.8, max_memory_mb=34)
    assert report.billed_ms == 142
    assert str(report).endswith("Max Memory Used: 34 MB\tInit Duration: 131.80 ms\t")


def test_a_time_limit_met():
    assert str(report_of(FUNCTION, "id-1", 3000.0, status="timeout")).endswith(
        "Memory Size: 1024 MB\tStatus: timeout\t"
    )


def test_a_process_lost():
    report = report_of(FUNCTION, "id-1", 3.0, status="error", error_type="Runtime.ExitError")
    assert str(report).endswith("\tStatus: error\tError Type: Runtime.ExitError\t")


def test_a_start_that_failed():
    line = "INIT_REPORT Init Duration: 154.03 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"
    assert init_report(154.03, "init", "error", "Runtime.ExitError") == line
    assert (
        init_report(9999.9, "init", "timeout") == "INIT_REPORT Init Duration: 9999.90 ms\tPhase: init\tStatus: timeout"
    )


def test_a_second_of_a_gigabyte_costs_what_the_price_list_says():
    assert cost_usd(1000, 1024, "x86_64") == pytest.approx(0.0000166667 + 0.0000002)
    assert cost_usd(500, 512, "arm64") == pytest.approx(0.0000133334 / 4 + 0.0000002)
