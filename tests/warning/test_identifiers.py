"""Identifiers: one message, one name, whoever sends it, in whichever journal, and for ever the same."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace
from test_lifecycle import ZONES, Watch, threat

from jointwatch.node.sinks.files import file_name, identifier_in
from jointwatch.records import Alert, ManualAlert
from jointwatch.warning.lifecycle import Warner
from jointwatch.warning.manual import manual_alerts
from jointwatch.warning.policy import Policy
from jointwatch.warning.standing import (
    Series,
    Standing,
    epoch_of,
    identifier_of,
    numbers_of,
    series_of,
    stem_of,
)

NAMES = st.text("ab01-.", min_size=1, max_size=12)
"""Names out of what identifiers are made of, so that one could be taken for a part of another."""
EPOCHS = st.builds(
    epoch_of,
    st.integers(-(2**63), 2**63 - 1).filter(lambda ns: ns != 0),
    st.binary(max_size=8).map(lambda data: hashlib.sha256(data).digest()),
)
LIKE = manual_alerts(
    ManualAlert(action="alert", tier="shelter", reason="seen", zones=("town",)), ZONES, Standing(), {},
    Warner("Amber", "amber", ZONES, Policy(), True), 0,
)[0]  # fmt: skip
SERIES = st.builds(Series, st.integers(1, 2000), st.integers(0, 20_000))


@given(NAMES, EPOCHS, SERIES, NAMES, EPOCHS, SERIES)
def test_no_two_names_epochs_or_series_make_one_identifier(
    name: str, epoch: str, series: Series, other: str, its_epoch: str, its_series: Series
) -> None:
    assume(
        (name, epoch, series.number, series.count) != (other, its_epoch, its_series.number, its_series.count)
    )
    for exercise in (True, False):
        one = identifier_of(name, epoch, series, exercise)
        assert one != identifier_of(other, its_epoch, its_series, exercise)
        assert f"{stem_of(name, epoch, exercise)}-advisory" != series_stem(
            other, its_epoch, its_series, exercise
        )


def series_stem(name: str, epoch: str, series: Series, exercise: bool) -> str:
    return identifier_of(name, epoch, series, exercise).rsplit("-", 2)[0]


@given(NAMES, EPOCHS | st.just(""), SERIES, st.booleans())
def test_an_identifier_tells_its_series_and_its_place_and_is_a_file_s_name(
    name: str, epoch: str, series: Series, exercise: bool
) -> None:
    alert = _alert(identifier_of(name, epoch, series, exercise))
    assert numbers_of(alert) == (series.number, series.count + 1)
    assert series_of(alert) == series_of(_alert(identifier_of(name, epoch, Series(series.number), exercise)))
    assert identifier_in(file_name(alert.identifier)) == alert.identifier
    assert not set(alert.identifier) & set(" ,<&"), "what CAP allows in an identifier"


def _alert(identifier: str) -> Alert:
    return replace(LIKE, identifier=identifier)


def test_an_epoch_says_the_day_and_which_journal_of_that_day() -> None:
    began_ns = int(datetime(2026, 1, 5, 22, tzinfo=UTC).timestamp()) * 10**9
    one, other = hashlib.sha256(b"one").digest(), hashlib.sha256(b"other").digest()
    assert epoch_of(began_ns, one) == "20260105." + one.hex()[:8]
    assert epoch_of(began_ns, one) != epoch_of(began_ns, other)
    assert epoch_of(0, one) == "", "a journal of former times, which does not say when it began"


@pytest.mark.parametrize("epoch", ["", "20260105.0a1b2c3d"])
@pytest.mark.parametrize("exercise", [True, False])
def test_all_that_a_warner_says_has_its_epoch_and_follows_what_has_it_too(epoch: str, exercise: bool) -> None:
    watch = Watch()
    watch.warner = Warner("Amber", "amber", ZONES, watch.policy, exercise, epoch)
    watch.see(threat(), seconds=3)
    watch.see(threat(), threat("A-2", danger={"village": 0.9}), seconds=3)
    watch.see(seconds=300)
    alerts = [m.alert for m in watch.sent]
    assert {a.action for a in alerts} >= {"alert", "update", "cancel"}
    stem = stem_of("amber", epoch, exercise)
    assert all(a.identifier.startswith(f"{stem}-0") for a in alerts)
    assert len({a.identifier for a in alerts}) == len(alerts)
    for n, alert in enumerate(alerts):
        assert set(alert.references) <= {a.identifier for a in alerts[:n] if series_of(a) == series_of(alert)}
        assert bool(alert.references) is (alert.action != "alert")
