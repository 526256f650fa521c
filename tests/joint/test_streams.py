"""Tracklets of one object in any order: what they make of it hangs on which they are, and on nothing else.

Everything is compared by the bytes of the row; what is expected is one call of `follow` over all of them.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracklets import LINE, SURE, Floats, at_s, fix, random_information, tracklet, value

from jointwatch.joint.filter import EVIDENCE, INFORMATION, TRACKLET, follow
from jointwatch.joint.streams import STEP, Key, Rows, Stream, is_begun, key_of, sure_of, values_of
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.table import FREE, ROW

Told = tuple[Key, Floats]


def told(rng: np.random.Generator, looks: int, apart_s: float = 1.0) -> list[Told]:
    """Tracklets of two sensors that look at one object in turn, each now and then without a plot; the places
    are of no real flight."""
    out = []
    for k in range(looks):
        where = np.array([4e6, 3e6, 4e6]) + rng.normal(0.0, 50.0, 3)
        one = fix(where, 60.0, 1.0) if rng.random() < 0.8 else value(where.repeat(2), np.zeros((6, 6)), -0.7)
        out.append(((at_s(k * apart_s), "north" if k % 2 else "south", k // 2, "Amber", "AMBER-0001"), one))
    return out


def rows(bank: Floats = LINE) -> Rows:
    return Rows(bank, SURE)


def bytes_of(stream: Stream, time_ns: int) -> bytes:
    stream.advance(time_ns)
    return bytes(stream.rows.table[stream.row].tobytes())


def expected(all_told: list[Told], time_ns: int, bank: Floats = LINE) -> bytes:
    """One pass over tracklets that are each of another look, in order."""
    table = np.zeros(1, ROW)
    upto = sorted((t for t in all_told if t[0][0] <= time_ns), key=lambda t: t[0])
    if upto:
        follow(table, 0, bank, SURE, np.array([t[0][0] for t in upto]), np.stack([t[1] for t in upto]))
    return bytes(table[0].tobytes())


@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_whatever_order_they_come_in_and_whatever_is_asked_between_the_row_is_the_same(
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    all_told = told(rng, data.draw(st.integers(1, 40)))
    bank = data.draw(st.sampled_from([LINE, FLIGHT]))
    stream = Stream(rows(bank))
    for n in data.draw(st.permutations([*range(len(all_told)), *range(0, len(all_told), 5)])):
        key, one = all_told[n]
        fresh = key not in stream.keys
        assert stream.insert(key, one) == fresh
        if data.draw(st.booleans()):
            stream.advance(at_s(data.draw(st.floats(-2.0, 45.0))))
    for seconds in (3.0, 50.0, -1.0, 17.5, 20.0):
        assert bytes_of(stream, at_s(seconds)) == expected(all_told, at_s(seconds), bank)


@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_of_two_words_on_one_look_the_same_one_counts_whichever_came_first(data: st.DataObject) -> None:
    """One look told of two of an originator's tracks, or by two originators, or twice with other values."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    first = told(rng, 12)
    others: list[Told] = []
    for key, one in first[::2]:
        whose = data.draw(st.sampled_from([("Amber", "AMBER-0000"), ("Blue", "BLUE-0001"), key[3:]]))
        shifted = one.copy()
        shifted[:3] += rng.normal(0.0, 30.0, 3)
        others.append(((*key[:3], *whose), shifted))
    words = [*first, *others]
    least: dict[tuple[int, str, int], Told] = {}
    for key, one in sorted(words, key=lambda t: (t[0], t[1].tobytes())):
        least.setdefault(key[:3], (key, one))
    stream = Stream(rows())
    for n in data.draw(st.permutations(range(len(words)))):
        stream.insert(*words[n])
        if data.draw(st.booleans()):
            stream.advance(at_s(data.draw(st.floats(0.0, 14.0))))
    assert len(stream.keys) == len(first)
    for seconds in (6.0, 20.0):
        assert bytes_of(stream, at_s(seconds)) == expected(list(least.values()), at_s(seconds))


def test_what_is_told_in_order_costs_a_step_and_what_is_late_a_few() -> None:
    """The row is not worked out from the beginning again: with marks it goes back by about the lag."""
    all_told = told(np.random.default_rng(1), 2000)
    stream = Stream(rows())
    for key, one in all_told[:-40]:
        stream.insert(key, one)
        stream.advance(key[0])
    for late in (1, 10, 100, 500):
        back = len(stream.keys) - late
        marks = [done for done, _ in stream._marks if done <= back]
        assert back - marks[-1] <= STEP + late
    assert len(stream._marks) < 50
    assert bytes_of(stream, at_s(5000.0)) == expected(all_told[:-40], at_s(5000.0))


@pytest.mark.parametrize("before_s", [-5.0, 0.0, 60.0, 149.5, 190.0, 1000.0])
def test_what_is_forgotten_changes_nothing_of_the_present(before_s: float) -> None:
    all_told = told(np.random.default_rng(2), 220)
    late = [t for n, t in enumerate(all_told[:200]) if n % 7 == 3 and t[0][0] >= at_s(before_s)]
    held = {key for key, _ in late}
    kept = [t for t in all_told[:200] if t[0] not in held]
    stream = Stream(rows())
    for key, one in kept:
        stream.insert(key, one)
        stream.advance(key[0])
    before = bytes_of(stream, at_s(200.0))
    stream.forget(at_s(before_s))
    assert bytes_of(stream, at_s(200.0)) == before
    assert all(key in stream.keys for key, _ in kept if key[0] >= at_s(before_s))
    assert len(stream.keys) <= max(200.0 - before_s / 2.0, 8.0)
    # late ones from after that find their place, and so does all that follows
    for key, one in [*late, *all_told[200:]]:
        assert stream.insert(key, one)
    assert bytes_of(stream, at_s(300.0)) == expected([*kept, *late, *all_told[200:]], at_s(300.0))
    stream.forget(at_s(before_s))
    assert bytes_of(stream, at_s(300.0)) == expected([*kept, *late, *all_told[200:]], at_s(300.0))


def test_a_stream_begins_with_what_another_forgot() -> None:
    all_told = told(np.random.default_rng(3), 100)
    one, other = Stream(rows()), Stream(rows())
    for key, v in all_told:
        one.insert(key, v)
    one.advance(at_s(100.0))
    one.forget(at_s(50.0))
    assert one.base is not None and 0 < len(one.keys) < 100
    other.begin_with(one.base)
    for key, v in zip(one.keys, one.values, strict=True):
        other.insert(key, v)
    assert bytes_of(other, at_s(100.0)) == bytes_of(one, at_s(100.0)) == expected(all_told, at_s(100.0))


def test_what_is_taken_out_again_leaves_no_trace() -> None:
    rng = np.random.default_rng(7)
    all_told = told(rng, 60)
    stream = Stream(rows())
    for key, one in all_told:
        stream.insert(key, one)
    stream.advance(at_s(70.0))
    out = {all_told[n][0] for n in (0, 17, 58)}
    assert all(stream.remove(key) for key in out) and not stream.remove(all_told[17][0])
    assert bytes_of(stream, at_s(70.0)) == expected([t for t in all_told if t[0] not in out], at_s(70.0))


def test_a_time_before_all_tracklets_gives_a_row_that_is_free() -> None:
    stream = Stream(rows())
    for key, one in told(np.random.default_rng(4), 10):
        stream.insert(key, one)
    stream.advance(at_s(9.0))
    assert is_begun(stream.rows.table[stream.row])
    stream.advance(at_s(-1.0))
    assert not is_begun(stream.rows.table[stream.row])
    assert stream.newest_ns(at_s(-1.0)) < at_s(-1e6) and stream.newest_ns(at_s(4.5)) == at_s(4.0)


def test_rows_are_given_back_blank_and_used_again() -> None:
    some = rows()
    streams = [Stream(some) for _ in range(150)]
    assert len({s.row for s in streams}) == 150 and len(some.table) >= 150
    key = told(np.random.default_rng(5), 1)[0][0]
    for stream in streams:
        stream.insert(key, fix(np.full(3, float(stream.row)), 10.0))
        stream.advance(key[0])
    # a table that grew took nothing away from those that were there
    assert all(some.table[s.row]["mean"][0, 0] == s.row for s in streams)
    size = len(some.table)
    for stream in streams:
        stream.close()
    assert (some.table["life"] == FREE).all() and not some.table["mean"].any()
    again = [Stream(some) for _ in range(150)]
    assert len(some.table) == size and len({s.row for s in again}) == 150


def test_a_tracklet_is_unpacked_as_it_was_sent() -> None:
    rng = np.random.default_rng(6)
    point, information = rng.normal(size=6), random_information(rng, 4, 50.0, 5.0)
    sent = tracklet("AMBER-0007", 3.5, "north", 12, point, information, -0.25)
    (one,) = values_of([sent])
    assert key_of("Amber", sent) == (at_s(3.5), "north", 12, "Amber", "AMBER-0007")
    assert one.tobytes() == value(point, np.triu(information) + np.triu(information, 1).T, -0.25).tobytes()
    sure = sure_of(4.0)
    assert sure.shape == (TRACKLET,) and sure[EVIDENCE] == 4.0 and not sure[:INFORMATION].any()
