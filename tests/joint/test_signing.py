"""Signing: the same message gives the same bytes for good, and a private key stays where it is."""

from __future__ import annotations

import copy
import hashlib
import pickle
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from random_records import Maker

from jointwatch.joint.signing import (
    KEY_BYTES,
    MOST_BYTES,
    SIGNATURE_BYTES,
    Signer,
    envelope_bytes,
    is_signed,
    public_key,
    seal,
    signed_bytes,
)
from jointwatch.records import BadInput, Envelope, Header, HealthReport, Message, SensorHealth, decode, encode

SECRET = bytes(range(32))
NOW_NS = 1_800_000_000_000_000_000
RECORD = HealthReport(
    header=Header(originator="Amber", source="node", sequence=7, measured_ns=NOW_NS, handling="joint"),
    rule="Amber/health",
    sensors=(SensorHealth(source="north", state="working", last_look_ns=NOW_NS - 1),),
)


def opened(data: bytes) -> Envelope:
    return msgspec.msgpack.decode(data, type=Envelope)


def sealed(record: Message = RECORD, **changes: object) -> bytes:
    terms: dict[str, object] = {
        "issuer": "Amber",
        "audience": ("Blue", "Cedar"),
        "sequence": 3,
        "time_ns": NOW_NS,
        "key": Signer(SECRET),
    }
    return seal(record, **(terms | changes))  # type: ignore[arg-type]


def test_one_message_is_known_to_the_byte() -> None:
    """Who reads version 2 reads these bytes: a change of layout, prefix or signature is another version."""
    data = sealed()
    assert Signer(SECRET).public.hex() == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    assert data[:7] == b"\x97\x02\xa5Ambe"
    assert (
        hashlib.sha256(data).hexdigest() == "3b07fbecc021d2c82974cba35c4c33095e48cfd6bc11a1d7c12fb3e9c83f83c6"
    )
    assert sealed() == data


def test_what_was_sealed_is_what_the_envelope_holds() -> None:
    envelope = opened(sealed(audience=("Cedar", "Blue", "Cedar")))
    assert (envelope.issuer, envelope.audience, envelope.sequence) == ("Amber", ("Blue", "Cedar"), 3)
    assert envelope.time_ns == NOW_NS and decode(envelope.payload, "test") == RECORD
    assert len(envelope.signature) == SIGNATURE_BYTES
    assert envelope_bytes(envelope) == sealed()


def test_a_signature_is_good_for_its_own_message_and_key_alone() -> None:
    mine, other = Signer(SECRET), Signer(SECRET[::-1])
    key, envelope = public_key(mine.public, "test"), opened(sealed())
    assert is_signed(envelope, key)
    assert not is_signed(envelope, public_key(other.public, "test"))
    for changes in (
        {"issuer": "Amben"},
        {"audience": ("Blue",)},
        {"sequence": 4},
        {"time_ns": NOW_NS + 1},
        {"payload": envelope.payload + b"\0"},
        {"version": 3},
        {"signature": b""},
        {"signature": envelope.signature + b"\0"},
        {"signature": bytes(SIGNATURE_BYTES)},
    ):
        assert not is_signed(replace(envelope, **changes), key), changes


def test_a_signature_over_the_same_bytes_without_our_prefix_is_none() -> None:
    """What the key signs elsewhere can never pass for a message."""
    envelope = opened(sealed())
    bare = envelope_bytes(replace(envelope, signature=b""))
    assert signed_bytes(envelope) == b"jointwatch message 2\0" + bare
    stolen = replace(envelope, signature=Signer(SECRET).sign(bare))
    assert not is_signed(stolen, public_key(Signer(SECRET).public, "test"))


@given(seed=st.integers(0, 2**32 - 1), sequence=st.integers(1, 2**63 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_record_comes_back_from_a_message_as_it_was(seed: int, sequence: int) -> None:
    record = Maker(Random(seed), "Amber").any(NOW_NS)
    envelope = opened(sealed(record, sequence=sequence))
    assert decode(envelope.payload, "test") == record
    assert encode(decode(envelope.payload, "test")) == envelope.payload
    assert is_signed(envelope, public_key(Signer(SECRET).public, "test"))


def test_a_whole_number_where_a_fraction_belongs_is_sent_as_a_fraction() -> None:
    whole = replace(RECORD, header=replace(RECORD.header, time_sigma_s=1))
    payload = opened(sealed(whole)).payload
    assert payload == encode(replace(RECORD, header=replace(RECORD.header, time_sigma_s=1.0)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"audience": ()}, "audience"),
        ({"audience": ("Amber", "Blue")}, "audience"),
        ({"audience": ("", "Blue")}, "audience"),
        ({"sequence": 0}, "sequence"),
        ({"sequence": 2**63}, "sequence"),
    ],
)
def test_what_cannot_be_sent_is_bad_input_that_names_the_field(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        sealed(**changes)
    assert (refused.value.source, refused.value.field) == ("Amber", field)


def test_a_message_longer_than_the_limit_is_not_sealed() -> None:
    long = replace(RECORD, sensors=RECORD.sensors * (MOST_BYTES // 30))
    with pytest.raises(BadInput, match="send it as several"):
        sealed(long)


def test_a_device_may_hold_the_key_and_what_it_gives_is_looked_at() -> None:
    class Device:
        def __init__(self, answer: bytes | None = None) -> None:
            self.answer = answer

        def sign(self, data: bytes, /) -> bytes:
            return Signer(SECRET).sign(data) if self.answer is None else self.answer

    assert sealed(key=Device()) == sealed()
    with pytest.raises(BadInput, match="signature"):
        sealed(key=Device(b"an error message"))


def test_a_private_key_is_not_shown_copied_pickled_or_written_into_a_record() -> None:
    signer = Signer(SECRET)
    for shown in (repr(signer), str(signer), f"{[signer]}"):
        assert SECRET.hex() not in shown and str(SECRET) not in shown and signer.public.hex() in shown
    for take in (copy.copy, copy.deepcopy, pickle.dumps, msgspec.msgpack.encode, msgspec.json.encode):
        with pytest.raises(TypeError):
            take(signer)
    assert not hasattr(signer, "__dict__")


def test_keys_are_read_from_bytes_and_digits() -> None:
    signer = Signer(SECRET)
    assert Signer.of_hex(f" {SECRET.hex()}\n").public == signer.public
    assert signer.secret() == SECRET
    assert Signer.made().public != Signer.made().public
    assert public_key(signer.public, "test") == public_key(signer.public.hex().upper(), "test")


@pytest.mark.parametrize("secret", [b"", b"x" * 31, b"x" * 33, "x" * 32])
def test_a_private_key_of_another_length_is_refused(secret: bytes) -> None:
    with pytest.raises(BadInput, match="private key") as refused:
        Signer(secret)
    assert "xxxx" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "zz" * 32, SECRET.hex()[:-2], SECRET.hex() + "00", SECRET.hex() + "é"])
def test_a_private_key_that_is_not_64_digits_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadInput, match="private key") as refused:
        Signer.of_hex(text)
    assert SECRET.hex()[:20] not in str(refused.value)


@pytest.mark.parametrize("key", ["", "zz" * 32, b"x" * 31, bytes(KEY_BYTES), "00" * KEY_BYTES])
def test_a_public_key_that_is_none_is_refused_by_name(key: str | bytes) -> None:
    with pytest.raises(BadInput, match=r"^correspondent Amber: public key: "):
        public_key(key, "correspondent Amber")
