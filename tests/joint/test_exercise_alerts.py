"""A partner's alert of an exercise is never taken for live, nor a live one for an exercise's."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from offered import alert

from jointwatch.joint.claims import why_no_alert
from jointwatch.joint.faults import Terms

S = 1_000_000_000


def terms(exercise: bool, sealed_ns: int) -> Terms:
    return Terms(
        me="Blue", issuer="Amber", prefixes=("AMBER-", "BLUE-"), owns=lambda sensor: False,
        sealed_ns=sealed_ns, oldest_ns=sealed_ns - S, exercise=exercise,
    )  # fmt: skip


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_an_alert_is_taken_by_its_own_kind_alone(here: bool, there: bool) -> None:
    told = replace(alert(1.0, "amber-01-0001", ("Z1",)), exercise=there)
    fault = why_no_alert(told, terms(here, told.sent_ns + S))
    assert (fault is None) == (here == there)
    if fault is not None:
        assert fault.field == "exercise" and fault.reason == "out of scope"


def test_an_alert_that_calls_itself_live_under_an_exercise_s_identifier_is_refused() -> None:
    told = replace(alert(1.0, "EX-amber-01-0001", ("Z1",)), exercise=False)
    fault = why_no_alert(told, terms(False, told.sent_ns + S))
    assert fault is not None and fault.field == "identifier"
    assert why_no_alert(replace(told, exercise=True), terms(True, told.sent_ns + S)) is None
