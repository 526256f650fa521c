"""The sequences of a stream that are used up: the same answers as a set of all of them, in bounded memory."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.joint.sequences import MOST_DIGESTS, MOST_GAPS, Sequences


def gaps_of(used: set[int]) -> tuple[tuple[int, int], ...]:
    """What lacks below the greatest of a set, as ranges, one number at a time."""
    out: list[tuple[int, int]] = []
    for n in range(1, max(used, default=0)):
        if n not in used:
            if out and out[-1][1] == n - 1:
                out[-1] = out[-1][0], n
            else:
                out.append((n, n))
    return tuple(out)


@given(st.lists(st.integers(1, 60), max_size=60))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_it_answers_as_the_set_of_all_numbers_does(numbers: list[int]) -> None:
    sequences, used = Sequences(), set[int]()
    for n in numbers:
        assert (n in sequences) == (n in used)
        if n not in used:
            sequences.add(n, n, b"%d" % n)
            used.add(n)
        assert sequences.missing(0) == gaps_of(used)
        assert all((k in sequences) == (k in used) for k in range(1, 62))
        assert all(k in used for k in range(1, sequences.through + 1))
        assert sequences.through + 1 not in used


@given(st.permutations(range(1, 40)))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_order_does_not_matter_and_a_whole_stream_is_one_number(numbers: list[int]) -> None:
    sequences = Sequences()
    for n in numbers:
        sequences.add(n, n, b"")
    assert sequences.through == 39 and sequences.missing(0) == ()


def test_a_gap_that_only_something_too_old_could_fill_is_not_asked_for() -> None:
    sequences = Sequences()
    for n, sealed_ns in ((1, 10), (4, 40), (5, 50), (9, 90)):
        sequences.add(n, sealed_ns, b"")
    assert sequences.missing(0) == sequences.missing(40) == ((2, 3), (6, 8))
    assert sequences.missing(41) == ((6, 8),)
    assert sequences.missing(91) == ()
    # what came is older than what it stands before
    sequences.add(3, 30, b"")
    assert sequences.missing(31) == ((6, 8),)
    assert sequences.missing(30) == ((2, 2), (6, 8))


def test_the_same_number_with_other_content_is_told_from_the_same_message_again() -> None:
    sequences = Sequences()
    sequences.add(5, 0, b"one")
    assert not sequences.another(5, b"one") and sequences.another(5, b"two")
    assert not sequences.another(4, b"two")


def test_memory_is_bounded_and_the_oldest_gap_is_given_up_first() -> None:
    sequences = Sequences()
    for n in range(2, 2 * MOST_GAPS + 2, 2):
        sequences.add(n, n, b"")
    assert len(sequences.missing(0)) == MOST_GAPS and 1 not in sequences
    sequences.add(10**18, 10**18, b"")
    assert 1 in sequences and 3 not in sequences
    assert sequences.missing(0)[0] == (3, 3) and len(sequences.missing(0)) == MOST_GAPS
    assert sequences.missing(0)[-1] == (2 * MOST_GAPS + 1, 10**18 - 1)


def test_what_was_long_ago_is_a_replay_whatever_it_says() -> None:
    sequences, rng = Sequences(), Random(1)
    numbers = list(range(1, MOST_DIGESTS + 101))
    rng.shuffle(numbers)
    for n in numbers:
        sequences.add(n, n, b"first")
    assert not sequences.another(numbers[0], b"second") and numbers[0] in sequences
    assert sequences.another(numbers[-1], b"second")
