"""Records: what goes through the codec comes back as it was, and what is not ours is refused by name."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from jointwatch.records import SCHEMA, BadInput, Header, Sector, decode, encode
from jointwatch.records.codec import Record

KINDS = get_args(Record)


def anything(kind: inspect.Type) -> st.SearchStrategy:
    """Values of a declared type, so that every record, also a later one, is tried with all of its fields."""
    match kind:
        case inspect.IntType():
            return st.integers(-(2**63), 2**63 - 1)
        case inspect.FloatType():
            return st.floats(allow_nan=False)
        case inspect.StrType():
            return st.text(max_size=8)
        case inspect.BoolType():
            return st.booleans()
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.VarTupleType():
            return st.lists(anything(kind.item_type), max_size=3).map(tuple)
        case inspect.TupleType():
            return st.tuples(*(anything(item) for item in kind.item_types))
        case inspect.DictType():
            return st.dictionaries(anything(kind.key_type), anything(kind.value_type), max_size=3)
        case inspect.StructType():
            fields = {f.name: anything(f.type) for f in kind.fields}
            if kind.cls is Header:
                fields["schema"] = st.just(SCHEMA)
            return st.builds(kind.cls, **fields)
        case inspect.UnionType():
            return st.one_of(*(anything(item) for item in kind.types))
        case inspect.BytesType():
            return st.binary(max_size=20)
        case inspect.NoneType():
            return st.none()
    raise NotImplementedError(kind)


ONE = Sector(
    header=Header(originator="Amber", source="north", sequence=3, measured_ns=1_700_000_000_000_000_000),
    sensor="north",
    azimuth_from_rad=0.0,
    azimuth_to_rad=0.5,
    received_ns=1_700_000_000_100_000_000,
    range_m=(1000.0, 2000.0),
    azimuth_rad=(0.1, 0.2),
    elevation_rad=(0.3, 0.4),
    range_rate_ms=(-5.0, 5.0),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_record_comes_back_as_it_was_and_gives_the_same_bytes_again(kind, data):
    record = data.draw(anything(inspect.type_info(kind)))
    data = encode(record)
    back = decode(data, "here")
    assert back == record and type(back) is type(record)
    assert encode(back) == data


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=80))
@example(b"")
@example(b"\xdd\xff\xff\xff\xff")  # claims four thousand million items
@example(b"\xc1")
@example(b"\xa2\xff\xfe")
def test_bytes_that_are_no_record_of_ours_are_bad_input_that_names_the_source(data):
    with pytest.raises(BadInput, match=r"^partner's link: "):
        decode(data, "partner's link")


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1x"], ids=["lists", "maps"])
def test_bytes_nested_deeper_than_any_stack_are_bad_input(opening):
    sector_with_a_field_we_do_not_know = b"\x82\xa4type\xa6sector\xa1x"
    for data in (opening * 100_000, sector_with_a_field_we_do_not_know + opening * 100_000):
        with pytest.raises(BadInput):
            decode(data, "here")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_a_damaged_record_is_read_or_refused_and_nothing_else(data):
    sent = bytearray(encode(ONE))
    for _ in range(data.draw(st.integers(1, 4))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    sent = sent[: data.draw(st.integers(0, len(sent)))] if data.draw(st.booleans()) else sent
    try:
        record = decode(bytes(sent), "here")
    except BadInput as error:
        assert str(error).startswith("here: ") and "wanted" in str(error)
    else:
        assert record.header.schema == SCHEMA


def test_every_truncation_is_refused():
    sent = encode(ONE)
    for length in range(len(sent)):
        with pytest.raises(BadInput):
            decode(sent[:length], "here")


@pytest.mark.parametrize("schema", [0, SCHEMA + 1, 99])
def test_another_schema_version_is_refused_and_both_versions_are_named(schema):
    other = msgspec.structs.replace(ONE, header=msgspec.structs.replace(ONE.header, schema=schema))
    with pytest.raises(BadInput) as refused:
        decode(encode(other), "blue.journal")
    assert refused.value.source == "blue.journal" and refused.value.field == "schema"
    assert refused.value.found == schema and str(SCHEMA) in refused.value.wanted


def test_values_that_differ_give_bytes_that_differ():
    later = msgspec.structs.replace(ONE, received_ns=ONE.received_ns + 1)
    assert encode(later) != encode(ONE)


def test_bad_input_is_one_sentence_that_stays_short():
    error = BadInput("radars.toml", "sensors[2].period_s", "x" * 5000, "a positive number of seconds")
    assert len(str(error)) < 300 and "\n" not in str(error)
    assert "radars.toml" in str(error) and "sensors[2].period_s" in str(error)
