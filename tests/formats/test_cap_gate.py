"""The gate for others' alerts: a pinned sender's word alone, fresh, once, of the right kind."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.formats import cap_gate, cap_in
from jointwatch.formats.cap_gate import AHEAD_NS, FEED_AT_ONCE, MOST_STANDING, OLD_NS, SENDER_AT_ONCE, CapGate
from jointwatch.formats.cap_structure import time_to_cap
from jointwatch.formats.warning_keys import WarningKey
from jointwatch.formats.xml_signature import sign_cap
from jointwatch.records import AlertSender, BadInput, Header, OthersAlert, decode, encode

S = 1_000_000_000
START_NS = int(datetime(2026, 1, 5, 22, 0, tzinfo=UTC).timestamp()) * S
NORTH, SOUTH = "north.example", "south.example"
DATA = Path(os.environ["JOINTWATCH_DATA"]) / "cap" if "JOINTWATCH_DATA" in os.environ else None
needs_data = pytest.mark.skipif(DATA is None, reason="JOINTWATCH_DATA (cap samples) is not set")
KEYS = {name: WarningKey.made(name, True, START_NS - 86_400 * S) for name in (NORTH, SOUTH)}
LIVE = WarningKey.made(NORTH, False, START_NS - 86_400 * S)
FEED = "feed one"


def sender(name: str, show_unverified: bool = False, pinned: bool = True) -> AlertSender:
    pems = (KEYS[name].certificate.pem().decode(),) if pinned else ()
    return AlertSender(name=name, certificates=pems, show_unverified=show_unverified)


def made(*senders: AlertSender) -> CapGate:
    return CapGate(senders or (sender(NORTH), sender(SOUTH)), exercise=True)


def cap(
    name: str = NORTH,
    identifier: str = "N-1",
    sent_ns: int = START_NS,
    kind: str = "Alert",
    status: str = "Exercise",
    scope: str = "Public",
    expires_ns: int | None = START_NS + 3600 * S,
    references: Sequence[tuple[str, str, int]] = (),
    headline: str = "Storm",
) -> bytes:
    def time(time_ns: int) -> str:
        return time_to_cap(time_ns, "test", "time")

    triples = " ".join(f"{who},{what},{time(when)}" for who, what, when in references)
    expires = f"<expires>{time(expires_ns)}</expires>" if expires_ns is not None else ""
    return f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier>
<sender>{name}</sender><sent>{time(sent_ns)}</sent><status>{status}</status><msgType>{kind}</msgType>
<scope>{scope}</scope>{f"<references>{triples}</references>" if triples else ""}
<info><language>en-GB</language><category>Met</category><event>Storm</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Likely</certainty>{expires}<headline>{headline}</headline>
<area><areaDesc>Hills</areaDesc><circle>32.0,35.0 10</circle></area></info>
<info><language>fr-FR</language><category>Met</category><event>Orage</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Likely</certainty>{expires}<headline>Orage</headline>
<area><areaDesc>Hills</areaDesc><circle>32.0,35.0 10</circle></area></info></alert>""".encode()


def signed(name: str = NORTH, **changes: object) -> bytes:
    return sign_cap(cap(name, **changes), KEYS[name])  # type: ignore[arg-type]


def header(handling: str) -> Header:
    return Header(originator="Amber", source="node", sequence=1, measured_ns=START_NS, handling=handling)


def taken(gate: CapGate, data: bytes, now_ns: int = START_NS, feed: str = FEED) -> OthersAlert:
    return gate.take(data, feed, now_ns, header)


def refused(gate: CapGate, reason: str, data: bytes, now_ns: int = START_NS, feed: str = FEED) -> str:
    """The words of a refusal, counted once under its reason, after which all else is as before."""
    before, standing = dict(gate.refused), gate.standing(now_ns)
    with pytest.raises(BadInput) as caught:
        taken(gate, data, now_ns, feed)
    counted = {key: n - before.get(key, 0) for key, n in gate.refused.items() if n != before.get(key, 0)}
    assert counted == {reason: 1}, str(caught.value)
    assert gate.standing(now_ns) == standing
    return str(caught.value)


def names(gate: CapGate, now_ns: int = START_NS) -> list[str]:
    return [alert.identifier for alert in gate.standing(now_ns)]


def test_a_signed_alert_of_a_pinned_sender_stands_until_it_expires() -> None:
    gate = made()
    alert = taken(gate, signed())
    assert (alert.sender, alert.identifier, alert.kind, alert.status) == (NORTH, "N-1", "Alert", "Exercise")
    assert alert.headlines == (("en-GB", "Storm"), ("fr-FR", "Orage")) and alert.event == "Storm"
    assert [area.description for area in alert.areas] == ["Hills"]
    assert alert.verified_by == KEYS[NORTH].certificate.fingerprint and alert.feed == FEED
    assert (alert.sent_ns, alert.expires_ns) == (START_NS, START_NS + 3600 * S)
    assert gate.standing(START_NS) == (alert,)
    assert gate.standing(START_NS + 3600 * S) == ()
    assert decode(encode(alert), "test") == alert
    assert gate.refused == {}


def test_nobody_signs_for_another() -> None:
    gate = made()
    refused(gate, "signature", sign_cap(cap(NORTH), KEYS[NORTH]).replace(NORTH.encode(), SOUTH.encode(), 1))
    crossed = AlertSender(name=NORTH, certificates=(KEYS[SOUTH].certificate.pem().decode(),))
    with pytest.raises(BadInput, match=f"one of {SOUTH}"):
        made(crossed)
    refused(gate, "sender", cap("east.example"))
    refused(gate, "signature", cap())
    refused(gate, "signature", signed().replace(b"Hills", b"Halls"))


def test_a_certificate_that_covers_a_sender_of_its_own_name_signs_for_it() -> None:
    """As a node's that warns another partner's zones: it sends those messages under NAME-PARTNER."""
    name = f"{NORTH}-Blue"
    wide, narrow = WarningKey.made(NORTH, True, START_NS, also=(name,)), KEYS[NORTH]
    gate = made(AlertSender(name=name, certificates=(wide.certificate.pem().decode(),)))
    alert = taken(gate, sign_cap(cap(name), wide))
    assert (alert.sender, alert.verified_by) == (name, wide.certificate.fingerprint)
    refused(gate, "sender", sign_cap(cap(NORTH), wide))
    with pytest.raises(BadInput, match=f"one of {NORTH}"):
        made(AlertSender(name=name, certificates=(narrow.certificate.pem().decode(),)))


def test_an_exercise_and_the_live_world_never_meet() -> None:
    gate = made()
    live = sign_cap(cap(status="Actual"), LIVE)
    refused(gate, "signature", live)
    unsigned = made(sender(NORTH, show_unverified=True, pinned=False))
    for status in ("Actual", "Test", "System", "Draft"):
        assert status in refused(unsigned, "status", cap(status=status))
    pinned = AlertSender(name=NORTH, certificates=(LIVE.certificate.pem().decode(),))
    with pytest.raises(BadInput, match="one for exercises"):
        CapGate((pinned,), exercise=True)
    node = CapGate((pinned,), exercise=False)
    assert taken(node, live).status == "Actual"
    refused(node, "signature", signed())
    loose = CapGate((sender(NORTH, show_unverified=True, pinned=False),), exercise=False)
    refused(loose, "status", cap())


def test_what_is_old_or_of_the_future_or_expired_is_refused() -> None:
    for sent_ns in (START_NS - OLD_NS, START_NS + AHEAD_NS):
        assert taken(made(), signed(sent_ns=sent_ns)).sent_ns == sent_ns
    refused(made(), "freshness", signed(sent_ns=START_NS - OLD_NS - S))
    refused(made(), "freshness", signed(sent_ns=START_NS + AHEAD_NS + S))
    refused(made(), "freshness", signed(sent_ns=START_NS - 60 * S, expires_ns=START_NS))
    assert taken(made(), signed(expires_ns=None)).expires_ns == START_NS + 3600 * S
    forever = taken(made(), signed(expires_ns=250_000_000_000 * S))
    assert forever.expires_ns == START_NS + 30 * 86_400 * S and decode(encode(forever), "test") == forever


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_whatever_time_a_message_says_a_record_can_hold_it(year: str) -> None:
    """A withdrawal is taken whenever it says that it expires, and no record holds a time in the year 1."""
    cancel = cap(kind="Cancel", references=[(NORTH, "N-0", START_NS)], expires_ns=None)
    for where in ("effective", "onset", "expires"):
        said = f"<{where}>{year}-01-01T00:00:00-00:00</{where}>".encode()
        data = cancel.replace(b"<headline>", said + b"<headline>")
        alert = taken(made(), sign_cap(data, KEYS[NORTH]))
        assert decode(encode(alert), "test") == alert
        assert START_NS <= alert.expires_ns <= START_NS + cap_gate.MOST_STANDS_NS
    said = b"<expires>0001-01-01T00:00:00+14:00</expires>"
    before = cancel.replace(b"<headline>", said + b"<headline>", 1)
    refused(made(sender(NORTH, show_unverified=True)), "structure", before)


def test_a_repetition_is_told_from_another_message_under_the_same_name() -> None:
    gate = made()
    taken(gate, signed())
    for later_ns in (0, OLD_NS):
        refused(gate, "replay", signed(), START_NS + later_ns, "feed two")
    assert "another content" in refused(gate, "identity", signed(headline="Flood"))
    refused(gate, "identity", signed(sent_ns=START_NS + S))
    refused(gate, "freshness", signed(), START_NS + OLD_NS + S)
    assert taken(gate, signed(SOUTH)).sender == SOUTH, "another sender's names are its own"


def test_an_update_replaces_and_a_cancel_withdraws() -> None:
    gate = made()
    taken(gate, signed())
    update = taken(
        gate, signed(identifier="N-2", kind="Update", references=[(NORTH, "N-1", START_NS)]), START_NS + S
    )
    assert update.unknown == () and names(gate) == ["N-2"]
    cancel = signed(
        identifier="N-3", kind="Cancel", expires_ns=START_NS - S, references=[(NORTH, "N-2", START_NS)]
    )
    assert taken(gate, cancel, START_NS + 2 * S).kind == "Cancel"
    assert names(gate) == []
    for data in (signed(), signed(identifier="N-2", kind="Update", references=[(NORTH, "N-1", START_NS)])):
        refused(gate, "replay", data, START_NS + 3 * S)


def test_what_was_withdrawn_before_it_came_never_stands() -> None:
    gate = made()
    cancel = taken(gate, signed(identifier="N-3", kind="Cancel", references=[(NORTH, "N-1", START_NS)]))
    assert [reference.identifier for reference in cancel.unknown] == ["N-1"]
    taken(gate, signed(), START_NS + S)
    assert names(gate) == []


def test_what_was_withdrawn_today_is_not_forgotten_for_names_of_long_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cap_gate, "MOST_REMEMBERED", 20)
    gate = made()
    taken(gate, signed(identifier="N-2", kind="Cancel", references=[(NORTH, "N-1", START_NS)]))
    for n in range(3):
        old = [(NORTH, f"O-{n}-{k}", START_NS - (k + 1) * 86_400 * S) for k in range(15)]
        taken(gate, signed(identifier=f"U-{n}", kind="Update", references=old), START_NS + S)
    for n in range(3):
        ahead = [(NORTH, f"A-{n}-{k}", START_NS + (k + 1) * 86_400 * S) for k in range(15)]
        taken(gate, signed(identifier=f"V-{n}", kind="Update", references=ahead), START_NS + S)
    taken(gate, signed(), START_NS + 2 * S)
    assert "N-1" not in names(gate)


def test_a_clock_put_ahead_and_back_brings_nothing_back_and_ends_nothing() -> None:
    """An hour ahead, and what was remembered of the last ten minutes was let go: it could come once more."""
    gate = made()
    taken(gate, signed(identifier="N-0"))
    taken(gate, signed())
    taken(gate, signed(identifier="N-2", kind="Cancel", references=[(NORTH, "N-1", START_NS)]), START_NS + S)
    # withdrawn before it came, and by no message of the last ten minutes
    early = [(NORTH, "N-3", START_NS - OLD_NS)]
    taken(gate, signed(identifier="N-4", kind="Cancel", references=early), START_NS + S)
    ahead_ns = START_NS + 7200 * S
    taken(gate, signed(identifier="N-9", sent_ns=ahead_ns, expires_ns=ahead_ns + S), ahead_ns)
    assert names(gate, ahead_ns) == ["N-9"]
    for data in (signed(identifier="N-0"), signed()):
        refused(gate, "replay", data, START_NS + 2 * S)
    taken(gate, signed(identifier="N-3", sent_ns=START_NS - OLD_NS), START_NS)
    assert names(gate, START_NS + 2 * S) == ["N-0", "N-9"]


def test_a_name_is_free_again_when_its_message_is_over() -> None:
    gate = made()
    taken(gate, signed(expires_ns=START_NS + 1200 * S))
    for after_s in (60, 1100):
        again = signed(sent_ns=START_NS + after_s * S)
        refused(gate, "identity", again, START_NS + after_s * S)
    again = signed(sent_ns=START_NS + 1300 * S, expires_ns=START_NS + 2000 * S)
    assert taken(gate, again, START_NS + 1300 * S).identifier == "N-1"
    assert names(gate, START_NS + 1300 * S) == ["N-1"]
    refused(gate, "replay", again, START_NS + 1301 * S)
    refused(gate, "identity", signed(expires_ns=START_NS + 1200 * S), START_NS + 10 * S)


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cap_gate, "MOST_STANDING", 2)
    monkeypatch.setattr(cap_gate, "MOST_REMEMBERED", 4)
    gate = made(sender(NORTH, show_unverified=True, pinned=False))
    for n in range(8):
        taken(gate, cap(identifier=f"N-{n}", expires_ns=START_NS + (100 - n) * S))
        gone = [(NORTH, f"X-{n}", START_NS)]
        taken(gate, cap(identifier=f"C-{n}", kind="Cancel", references=gone))
    ((_, series),) = gate._series.items()
    assert list(series.standing) == ["N-0", "N-1"], "those that expire last"
    assert list(series.seen) == ["N-0", "N-1", "N-7", "C-7"], "the latest, and what stands"
    assert [name for name, _ in series.ended] == ["X-4", "X-5", "X-6", "X-7"]


def test_nobody_withdraws_anothers_alert() -> None:
    gate = made()
    taken(gate, signed())
    cancel = taken(
        gate, signed(SOUTH, identifier="S-1", kind="Cancel", references=[(NORTH, "N-1", START_NS)])
    )
    assert len(cancel.unknown) == 1 and names(gate) == ["N-1"]
    wrong = signed(identifier="N-2", kind="Cancel", references=[(NORTH, "N-1", START_NS - S)])
    assert len(taken(gate, wrong).unknown) == 1 and names(gate) == ["N-1"]


def test_an_unsigned_message_is_marked_and_touches_no_signed_one() -> None:
    gate = made(sender(NORTH, show_unverified=True))
    loose = taken(gate, cap())
    assert loose.verified_by == ""
    alert = taken(gate, signed())
    assert alert.verified_by and len(gate.standing(START_NS)) == 2
    taken(gate, cap(identifier="X", kind="Cancel", references=[(NORTH, "N-1", START_NS)]))
    assert gate.standing(START_NS) == (alert,)
    refused(gate, "signature", signed(identifier="N-9").replace(b"Hills", b"Halls"))
    unpinned = made(sender(NORTH, show_unverified=True, pinned=False))
    assert taken(unpinned, signed()).verified_by == "", (
        "a signature that nobody can check vouches for nothing"
    )


def test_what_is_not_public_is_not_for_others() -> None:
    gate = made()
    for n, scope in enumerate(("Public", "Restricted", "Private")):
        alert = taken(gate, signed(identifier=f"N-{n}", scope=scope))
        assert alert.header.handling == ("public" if scope == "Public" else "own")
    assert len(gate.standing(START_NS)) == 3
    assert [alert.identifier for alert in gate.standing_public(START_NS)] == ["N-0"]


def test_other_messages_and_damaged_ones_are_refused_under_their_reason() -> None:
    gate = made()
    refused(gate, "kind", signed(kind="Ack"))
    refused(gate, "size", b" " * (cap_gate.MOST_BYTES + 1))
    refused(gate, "structure", b"<alert/>")
    refused(gate, "structure", signed()[:-9])
    refused(gate, "structure", cap().replace(b"<alert ", b'<!DOCTYPE alert [<!ENTITY a "b">]><alert '))
    refused(gate, "structure", signed(identifier="N" * 501))
    refused(gate, "structure", signed(kind="Cancel", references=[(NORTH, "N-1", START_NS)] * 201))
    refused(gate, "structure", signed(kind="Cancel", references=[(NORTH, "N-1", 250_000_000_000 * S)]))
    refused(gate, "structure", signed(kind="Cancel", references=[(NORTH, "N-1", -50_000_000_000 * S)]))
    with pytest.raises(BadInput, match="twice"):
        made(sender(NORTH), sender(NORTH))
    with pytest.raises(BadInput, match="certificate"):
        made(AlertSender(name=NORTH, certificates=("none",)))


def test_a_flooding_sender_fills_no_memory_and_keeps_nobody_else_waiting() -> None:
    gate = made(sender(NORTH, show_unverified=True, pinned=False), sender(SOUTH))
    sent = 0
    for second in range(400):
        for _ in range(2):
            sent += 1
            data = cap(identifier=f"N-{sent}", sent_ns=START_NS, expires_ns=START_NS + (1000 + sent) * S)
            try:
                taken(gate, data, START_NS + second * S)
            except BadInput as error:
                assert "at most 1 messages" in str(error)
    assert gate.refused["flood"] == pytest.approx(sent - SENDER_AT_ONCE - 400, abs=2)
    standing = gate.standing(START_NS + 400 * S)
    assert len(standing) == MOST_STANDING
    # those that expire first went first
    assert standing[0].expires_ns > START_NS + 1000 * S + MOST_STANDING * S
    assert taken(gate, signed(SOUTH), START_NS + 400 * S, "feed two").sender == SOUTH


def test_a_flooding_feed_is_held_back_and_forgers_use_up_nothing_of_the_senders() -> None:
    gate = made()
    forged = signed().replace(b"Hills", b"Halls")
    for _ in range(int(SENDER_AT_ONCE) + 10):
        refused(gate, "signature", forged)
    taken(gate, signed())
    for _ in range(int(FEED_AT_ONCE)):
        with pytest.raises(BadInput):
            taken(gate, b"junk", feed="hostile")
    refused(gate, "flood", signed(SOUTH), feed="hostile")
    assert taken(gate, signed(SOUTH)).sender == SOUTH


def test_areas_are_read_of_those_messages_alone_that_nothing_else_speaks_against(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message of a megabyte takes a third of a second to read to its end, and anybody can send one."""
    ring = b"<polygon>" + b"1,1 " * 200_000 + b"</polygon><circle>"

    def wide(data: bytes) -> bytes:
        return data.replace(b"<circle>", ring, 1)

    read: list[str] = []
    real = cap_in._read_polygon

    def reads(text: str, source: str) -> tuple[tuple[float, float], ...]:
        read.append(source)
        return real(text, source)

    monkeypatch.setattr(cap_in, "_read_polygon", reads)
    loose = made(sender(NORTH, show_unverified=True), sender(SOUTH))
    old = START_NS - OLD_NS - S
    refused(made(), "sender", wide(cap("east.example")))
    refused(made(), "signature", wide(cap()))
    refused(made(), "signature", wide(signed()))
    refused(loose, "signature", wide(signed()))
    refused(loose, "status", wide(cap(status="Actual")))
    refused(loose, "kind", wide(cap(kind="Ack")))
    refused(loose, "freshness", wide(cap(sent_ns=old)))
    refused(made(), "freshness", sign_cap(wide(cap(sent_ns=old)), KEYS[NORTH]))
    assert read == []
    assert len(taken(made(), sign_cap(wide(cap()), KEYS[NORTH])).areas) == 2
    assert read == [FEED]


def test_long_messages_of_a_feed_are_held_back_by_their_length() -> None:
    gate, long = made(), b"x" * cap_gate.MOST_BYTES
    for _ in range(5):
        refused(gate, "structure", long)
    assert "0.4 MB a second" in refused(gate, "flood", long)
    refused(gate, "structure", long, START_NS + 3 * S)
    assert taken(gate, signed(), START_NS + 3 * S, "feed two").sender == NORTH


def test_a_gate_goes_on_as_it_was_from_its_pickle() -> None:
    gate = made()
    taken(gate, signed())
    again = pickle.loads(pickle.dumps(gate))
    assert again.standing(START_NS) == gate.standing(START_NS)
    refused(again, "replay", signed())


@needs_data
def test_no_recorded_sample_enters_an_exercise_and_the_hostile_one_none_at_all() -> None:
    """Each at the minute that it was sent, from a sender of whom even unsigned messages are shown."""
    from jointwatch.formats.cap_in import read_cap, read_head

    assert DATA is not None
    shown, why = [], {}
    for sample in sorted([*DATA.glob("*.cap"), *DATA.glob("*.xml")]):
        data = sample.read_bytes()
        try:
            message = read_cap(data, sample.name)
            who, now_ns, live = message.sender, message.sent_ns + S, message.status == "Actual"
        except BadInput:
            who, now_ns, live = "KSTO@NWS.NOAA.GOV", START_NS, True
        for exercise in (True, False):
            gate = CapGate((AlertSender(name=who, show_unverified=True),), exercise)
            try:
                alert = taken(gate, data, now_ns, sample.name)
            except BadInput:
                (why[sample.name, exercise],) = gate.refused
            else:
                assert not exercise and live and alert.verified_by == ""
                assert gate.standing(now_ns) == (alert,)
                shown.append(sample.name)
        strict = CapGate((AlertSender(name=who),), exercise=False)
        with pytest.raises(BadInput):
            taken(strict, data, now_ns, sample.name)
    assert {why["xee.cap", kind] for kind in (True, False)} == {"structure"}
    # one is wrong within a block, which is not looked at before it is known whose it is
    bad = (DATA / "invalid.cap").read_bytes()
    head = read_head(bad, "invalid.cap")
    gate = CapGate((AlertSender(name=head.sender, show_unverified=True),), exercise=False)
    refused(gate, "structure", bad, head.sent_ns)
    assert len(shown) >= 5 and not {"xee.cap", "invalid.cap"} & set(shown)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_damaged_messages_are_taken_or_refused(data: st.DataObject) -> None:
    gate = made(sender(NORTH, show_unverified=True), sender(SOUTH))
    samples = (
        SIGNED_ONE,
        cap(),
        cap(identifier="N-2", kind="Cancel", references=[(NORTH, "N-1", START_NS)]),
    )
    for _ in range(3):
        sample = bytearray(data.draw(st.sampled_from(samples)))
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(sample) - 1))
            sample[at : at + data.draw(st.integers(0, 10))] = data.draw(
                st.binary(max_size=6) | st.sampled_from([b"", b"<", b"&#0;", b"]]>", b"9", b"9999", b"0001"])
            )
        try:
            alert = taken(gate, bytes(sample), data.draw(st.integers(START_NS, START_NS + 1200 * S)))
        except BadInput:
            continue
        assert decode(encode(alert), "fuzz") == alert
    gate.standing(START_NS)


SIGNED_ONE = signed()
