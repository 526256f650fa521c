"""The gate: all that is good in a hostile stream comes through, nothing that is bad does, and no bad message
of a stranger leaves a trace."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from random import Random
from typing import get_args

import msgspec
import pytest
from hostile_stream import KEYS, Stream, flipped, new_gate, sealed
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from random_records import Maker

from jointwatch.joint import gatekeeper
from jointwatch.joint.allowance import BYTES_AT_ONCE, BYTES_PER_S, MESSAGES_AT_ONCE, MESSAGES_PER_S, Allowance
from jointwatch.joint.gatekeeper import REASONS, Admitted, Correspondent, Gatekeeper, Refused
from jointwatch.joint.signing import MOST_BYTES, Signer, seal
from jointwatch.records import KIND_OF, KINDS, MESSAGES, BadInput, Envelope, HealthReport, Message

S = 1_000_000_000
NOW_NS = 1_800_000_000 * S
AMBER = KEYS["Amber"]


def health(seed: int = 0, issuer: str = "Amber", now: int = NOW_NS) -> HealthReport:
    return Maker(Random(seed), issuer).health_report(now)


def sent(
    sequence: int = 1,
    record: Message | None = None,
    audience: tuple[str, ...] = ("Blue",),
    time_ns: int = NOW_NS,
    issuer: str = "Amber",
    key: Signer | None = None,
) -> bytes:
    record = health(issuer=issuer) if record is None else record
    return seal(record, issuer, audience, sequence, time_ns, key or KEYS[issuer])


def reason(answer: Admitted | Refused) -> str:
    return answer.reason if isinstance(answer, Refused) else "admitted"


def envelope_of(data: bytes) -> Envelope:
    return msgspec.msgpack.decode(data, type=Envelope)


def test_every_message_has_a_kind_and_every_kind_a_message() -> None:
    assert set(KIND_OF) == set(get_args(Message))
    assert set(KIND_OF.values()) == set(KINDS)


# ---------------------------------------------------------------------- a hostile stream


@pytest.mark.parametrize("seed", [2, 3])
def test_of_a_hostile_stream_all_good_and_nothing_bad_is_admitted_and_strangers_leave_no_trace(
    seed: int,
) -> None:
    beset, calm = new_gate(), new_gate()
    attacks: Counter[str] = Counter()
    told: set[str] = set()
    for event in Stream(seed).events(6000):
        before = beset.state() if event.stranger and attacks[event.attack] < 10 else None
        answer = beset.open(event.data, event.received_ns)
        attacks[event.attack] += 1
        if event.attack:
            assert isinstance(answer, Refused), event
            assert answer.reason in event.reasons, (event.attack, answer)
            assert answer.detail.isprintable() and len(answer.detail) < 600
            told.add(answer.reason)
        else:
            assert isinstance(answer, Admitted), (answer, event)
            assert answer.record == event.record and len(answer.dropped) == event.dropped
        if before is not None:
            assert beset.state() == before, event.attack
        if not event.stranger:
            calm.open(event.data, event.received_ns)
    assert beset.state() == calm.state()
    assert all(count >= 10 for name, count in attacks.items() if name not in ("too long", "held back"))
    assert len(attacks) >= 17 and len(told) >= len(REASONS) - 2, (attacks, told)


def test_no_flipped_bit_is_admitted_and_the_message_itself_is_afterwards() -> None:
    data, gate = sent(record=Maker(Random(5), "Amber").tracklet_report(NOW_NS)), new_gate()
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << (bit % 8)
        assert isinstance(gate.open(bytes(changed), NOW_NS), Refused), bit
    assert reason(gate.open(data, NOW_NS)) == "admitted"


def test_no_beginning_of_a_message_is_admitted() -> None:
    data, gate = sent(), new_gate()
    assert all(reason(gate.open(data[:length], NOW_NS)) == "malformed" for length in range(len(data)))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_bytes_raise_an_error(data: bytes) -> None:
    assert isinstance(new_gate().open(data, NOW_NS), Refused)


@given(payload=st.binary(max_size=120), seed=st.integers(0, 2**32 - 1), flip=st.booleans())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_payload_raises_an_error_though_its_issuer_signed_it(
    payload: bytes, seed: int, flip: bool
) -> None:
    """A partner's own node, gone wrong or lying: any bytes, and records with bits turned."""
    if flip:
        payload = flipped(
            envelope_of(sent(record=Maker(Random(seed), "Amber").any(NOW_NS))).payload, Random(seed)
        )
    envelope = replace(envelope_of(sent()), payload=payload)
    answer = new_gate().open(sealed(envelope, AMBER), NOW_NS)
    # a turned bit may make another sensible record: the issuer has signed that
    assert flip or isinstance(answer, Refused)


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1x", b"\xdd\xff\xff\xff\xff"])
def test_bytes_nested_or_counted_beyond_any_memory_are_malformed(opening: bytes) -> None:
    assert reason(new_gate().open(opening * 100_000, NOW_NS)) == "malformed"
    data = sealed(replace(envelope_of(sent()), payload=opening * 100_000), AMBER)
    assert reason(new_gate().open(data, NOW_NS)) == "malformed"


# ---------------------------------------------------------------------- the order of the checks


def test_a_forgery_of_a_message_to_come_does_not_keep_it_out() -> None:
    gate = new_gate()
    for key in (Signer(b"\x01" * 31 + b"\x02"), KEYS["Cedar"]):
        assert reason(gate.open(sent(1, health(9), key=key), NOW_NS)) == "forged"
    assert reason(gate.open(sent(1), NOW_NS)) == "admitted"
    assert reason(gate.open(sent(1), NOW_NS)) == "replayed"


def test_a_message_too_long_is_refused_unread() -> None:
    answer = new_gate().open(sent() + bytes(MOST_BYTES), NOW_NS)
    assert isinstance(answer, Refused) and answer.reason == "malformed" and str(MOST_BYTES) in answer.detail


def test_a_message_is_taken_within_its_age_and_the_slack_of_clocks() -> None:
    for late_s, said in (
        (-5.1, "from the future"),
        (-4.9, "admitted"),
        (599.0, "admitted"),
        (601.0, "stale"),
    ):
        assert reason(new_gate().open(sent(), NOW_NS + round(late_s * S))) == said, late_s


def test_a_stale_message_is_good_when_our_own_clock_is_right_again() -> None:
    gate = new_gate()
    assert reason(gate.open(sent(), NOW_NS + 3600 * S)) == "stale"
    assert reason(gate.open(sent(), NOW_NS)) == "admitted"


def test_what_is_as_old_as_a_message_may_be_when_it_comes_loses_nothing_in_it() -> None:
    report = Maker(Random(3), "Amber").tracklet_report(NOW_NS)
    answer = new_gate().open(sent(record=report), NOW_NS + 599 * S)
    assert isinstance(answer, Admitted) and answer.record == report and not answer.dropped


def test_a_message_with_bad_values_is_refused_each_time_and_leaves_no_gap() -> None:
    gate = new_gate()
    bad = replace(health(), sensors=(replace(health().sensors[0], last_look_ns=NOW_NS + 60 * S),))
    assert reason(gate.open(sent(1), NOW_NS)) == "admitted"
    assert reason(gate.open(sent(2, bad), NOW_NS)) == "bad values"
    assert reason(gate.open(sent(2, bad), NOW_NS)) == "replayed"
    assert reason(gate.open(sent(3), NOW_NS)) == "admitted"
    assert gate.missing("Amber", ["Blue"]) == ()
    assert gate.streams() == (("Amber", ("Blue",), 3),)


def test_two_stories_under_one_sequence_are_told_as_such_and_the_first_stands() -> None:
    gate = new_gate()
    assert reason(gate.open(sent(1, health(1)), NOW_NS)) == "admitted"
    other = replace(health(1), rule="Amber/other")
    answer = gate.open(sent(1, other), NOW_NS)
    assert isinstance(answer, Refused) and answer.reason == "equivocation"
    assert answer.detail.startswith("Amber's message 1 to Blue: payload: ")
    # to another audience it is another message
    assert reason(gate.open(sent(1, other, ("Blue", "Cedar")), NOW_NS)) == "admitted"


def test_a_whole_stream_is_admitted_in_any_order() -> None:
    messages = [sent(k, health(k)) for k in range(1, 6)]
    states = set()
    for order in permutations(messages):
        gate = new_gate()
        assert all(reason(gate.open(data, NOW_NS)) == "admitted" for data in order)
        states.add(gate.streams())
        assert gate.missing("Amber", ("Blue",)) == ()
    assert len(states) == 1


def test_what_is_missing_is_told_and_not_what_would_be_stale() -> None:
    gate = new_gate()
    for sequence, late_s in ((2, 0), (6, 0), (7, 100)):
        gate.open(sent(sequence, time_ns=NOW_NS + late_s * S), NOW_NS + late_s * S)
    gate.open(sent(4, audience=("Blue", "Cedar")), NOW_NS)
    assert gate.missing("Amber", ("Blue",), NOW_NS) == ((1, 1), (3, 5))
    assert gate.missing("Amber", ("Cedar", "Blue"), NOW_NS) == ((1, 3),)
    assert gate.missing("Amber", ("Blue",), NOW_NS + 601 * S) == ()
    assert gate.missing("Amber", ("Blue",)) == ((1, 1), (3, 5))
    assert gate.missing("Cedar", ("Blue",)) == gate.missing("nobody", ()) == ()


def test_a_message_goes_on_to_others_of_its_audience_only() -> None:
    gate = new_gate()
    for audience, others in ((("Blue",), ()), (("Blue", "Cedar"), ("Cedar",)), (("Blue", "Dune"), ("Dune",))):
        answer = gate.open(sent(audience=audience), NOW_NS)
        assert isinstance(answer, Admitted) and answer.forward == others
    # what is forwarded is what came: the next node opens the same bytes
    next_gate = Gatekeeper("Cedar", [Correspondent(name="Amber", public_key=AMBER.public.hex())])
    assert reason(next_gate.open(sent(audience=("Blue", "Cedar")), NOW_NS)) == "admitted"


def test_an_envelope_in_other_bytes_or_with_more_in_them_is_malformed() -> None:
    data = sent()
    for other in (
        data[:1] + bytes([0xCC, MESSAGES]) + data[2:],
        b"\x98" + data[1:] + b"\xc0",
        data + b"\xc0",
    ):
        assert reason(new_gate().open(other, NOW_NS)) == "malformed"


@pytest.mark.parametrize(
    "audience", [(), ("Blue", "Blue"), ("Cedar", "Blue"), ("", "Blue"), ("Blue", "x" * 81)]
)
def test_an_audience_out_of_order_is_malformed(audience: tuple[str, ...]) -> None:
    """Or one stream could be taken for several."""
    data = sealed(replace(envelope_of(sent()), audience=audience), AMBER)
    assert reason(new_gate().open(data, NOW_NS)) == "malformed"


# ---------------------------------------------------------------------- flooding


def test_a_flood_is_refused_by_issuer_and_what_it_kept_out_is_taken_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jointwatch.joint.allowance.MESSAGES_AT_ONCE", 10.0)
    gate = new_gate()
    said = [reason(gate.open(sent(k), NOW_NS)) for k in range(1, 15)]
    assert said == ["admitted"] * 10 + ["flood"] * 4
    assert gate.missing("Amber", ("Blue",)) == () and gate.streams() == (("Amber", ("Blue",), 10),)
    assert reason(gate.open(sent(1, issuer="Cedar"), NOW_NS)) == "admitted"
    later = NOW_NS + round(4 / MESSAGES_PER_S * S)
    assert [reason(gate.open(sent(k), later)) for k in range(11, 15)] == ["admitted"] * 4


def test_what_strangers_repeat_or_forge_costs_an_issuer_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jointwatch.joint.allowance.MESSAGES_AT_ONCE", 3.0)
    gate = new_gate()
    astray = sent(1, audience=("Cedar",))
    forged = sent(2, key=KEYS["Cedar"])
    gate.open(sent(1), NOW_NS)
    for _ in range(10):
        assert {reason(gate.open(d, NOW_NS)) for d in (sent(1), astray, forged)} == {
            "replayed",
            "not addressed to us",
            "forged",
        }
    assert [reason(gate.open(sent(k), NOW_NS)) for k in (2, 3, 4)] == ["admitted", "admitted", "flood"]


def test_an_allowance_holds_in_messages_and_bytes_and_a_clock_put_back_does_not_stop_it() -> None:
    one = Allowance()
    assert sum(one.takes(1, 0) for _ in range(int(MESSAGES_AT_ONCE) + 50)) == MESSAGES_AT_ONCE
    assert sum(one.takes(1, S) for _ in range(1000)) == MESSAGES_PER_S
    two, size = Allowance(), 1_000_000
    assert sum(two.takes(size, 0) for _ in range(1000)) == BYTES_AT_ONCE // size
    assert sum(two.takes(size, S) for _ in range(1000)) == BYTES_PER_S // size
    assert not two.takes(size, -(10**6) * S) and two.takes(size, -(10**6) * S + S)


def test_one_issuer_cannot_open_streams_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gatekeeper, "MOST_STREAMS", 3)
    gate = new_gate()
    said = [reason(gate.open(sent(audience=("Blue", f"P{k}")), NOW_NS)) for k in range(5)]
    assert said == ["admitted"] * 3 + ["flood"] * 2


# ---------------------------------------------------------------------- what a gate is told at its start


def correspondent(name: str, key: Signer = AMBER, **terms: object) -> Correspondent:
    return Correspondent(name=name, public_key=key.public.hex(), **terms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("correspondents", "field"),
    [
        ([correspondent("Blue")], "name"),
        ([correspondent("Amber"), correspondent("AMBER")], "name"),
        ([correspondent("Amber"), correspondent("Amber-north")], "name"),
        ([correspondent("")], "name"),
        ([correspondent("A\nB")], "name"),
        ([correspondent("Amber", age_s=0.0)], "age_s"),
        ([correspondent("Amber", age_s=float("nan"))], "age_s"),
        ([correspondent("Amber", sensors=("blue-one",))], "sensors"),
        ([correspondent("Amber", sensors=("s",)), correspondent("Cedar", sensors=("s",))], "sensors"),
        ([Correspondent(name="Amber", public_key="none")], "public key"),
    ],
)
def test_correspondents_that_cannot_be_told_apart_are_refused(
    correspondents: list[Correspondent], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        Gatekeeper("Blue", correspondents, ["blue-one"])
    assert refused.value.field == field


def test_a_gate_with_no_correspondents_admits_nobody() -> None:
    assert reason(Gatekeeper("Blue", []).open(sent(), NOW_NS)) == "unknown issuer"


def test_correspondents_can_be_journalled() -> None:
    terms = correspondent("Amber", kinds=("tracks",), sensors=("north",))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(terms), type=Correspondent) == terms
