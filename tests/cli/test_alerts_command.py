"""The alerts command says in words who signed a message, whether it is fresh and what it says."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jointwatch.cli.main import app
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap
from jointwatch.node.sources.source import Look
from jointwatch.records import BadInput

DATA = Path(os.environ["JOINTWATCH_DATA"]) / "cap" if "JOINTWATCH_DATA" in os.environ else None
START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * 10**9
KEY = WarningKey.made("north.example", True, START_NS)
CAP = b"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>N-1</identifier>
<sender>north.example</sender><sent>2026-01-05T22:00:00-00:00</sent><status>Exercise</status>
<msgType>Alert</msgType><scope>Public</scope><info><category>Security</category><event>Missile</event>
<urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty>
<headline>Take shelter</headline><area><areaDesc>Hills</areaDesc></area></info></alert>"""
AT = ("--at", "2026-01-05T22:00:30Z")


def call(*words: object) -> Any:
    return CliRunner().invoke(app, ["alerts", *map(str, words)])


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """A signed message and its certificate."""
    message, certificate = tmp_path / "m.xml", tmp_path / "c.pem"
    message.write_bytes(sign_cap(CAP, KEY))
    certificate.write_bytes(KEY.certificate.pem())
    return message, certificate


def test_a_signed_fresh_message_is_told_in_words(made: tuple[Path, Path]) -> None:
    done = call(made[0], "--trust", made[1], *AT)
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "EXERCISE: Alert of north.example, N-1",
        "Says:   Take shelter (Hills)",
        "Sent:   2026-01-05T22:00:00Z, 30 s ago",
        "Until:  2026-01-05T23:00:00Z",
        f"Signed: by a certificate that is trusted ({KEY.certificate.fingerprint[:16]})",
        "Taken:  yes",
    ]
    told = json.loads(call(made[0], "--trust", made[1], *AT, "--json").output)
    assert told[0]["signed_by"] == KEY.certificate.fingerprint and told[0]["taken"] is True


def test_what_is_wrong_is_said(made: tuple[Path, Path], tmp_path: Path) -> None:
    message, certificate = made
    old = call(message, "--trust", certificate, "--at", "2026-01-06T22:00:00Z")
    assert old.exit_code == 1 and "Signed: by a certificate" in old.output
    assert "found 86400 s ago, wanted at most 600 s ago" in old.output
    changed = tmp_path / "changed.xml"
    changed.write_bytes(message.read_bytes().replace(b"Take shelter", b"Stay at home"))
    false = call(changed, "--trust", certificate, *AT)
    assert false.exit_code == 1 and "Signed: not that one could know" in false.output
    unknown = call(message, *AT)
    assert unknown.exit_code == 0 and "trusted certificates: found none" in unknown.output


@pytest.mark.parametrize("words", [("none.xml",), ("http://127.0.0.1:9/f",)])
def test_what_cannot_be_had_is_named(words: tuple[str, ...]) -> None:
    assert isinstance(call(*words).exception, BadInput)


def test_a_time_that_is_none_is_named(made: tuple[Path, Path]) -> None:
    error = call(made[0], "--at", "noon").exception
    assert isinstance(error, BadInput) and "--at" in str(error)


class Page:
    def look(self) -> Look:
        return Look((b"<feed", sign_cap(CAP, KEY)))


def test_of_a_feed_each_message_is_told(made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jointwatch.cli.alerts.AlertFeed", lambda *_, **__: Page())
    done = call("http://north.example/feed", "--trust", made[1], *AT)
    assert done.exit_code == 1 and done.output.startswith("No CAP message: ") and "Taken:  yes" in done.output


@pytest.mark.skipif(DATA is None, reason="JOINTWATCH_DATA (cap samples) is not set")
def test_of_the_samples_the_hostile_one_is_refused_and_the_others_are_old() -> None:
    assert DATA is not None
    hostile = call(DATA / "xee.cap").exception
    assert isinstance(hostile, BadInput) and "DOCTYPE" in str(hostile)
    old = call(DATA / "canada.cap")
    assert old.exit_code == 1 and "Actual: Update of cap@ec.gc.ca" in old.output and "s ago" in old.output
