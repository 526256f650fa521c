"""Association marginals: exact in small clusters, by belief propagation in great ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.tracking.associate import marginals
from jointwatch.tracking.clusters import MOST_BITS, counted, plan, propagated


def enumerated(weight, miss):
    """Exact marginals (tracks, plots) and (tracks,) of none, by enumeration; weight 0: not gated."""
    tracks = len(weight)
    belief, none, total = np.zeros_like(weight), np.zeros(tracks), 0.0
    choices = [[-1, *np.flatnonzero(weight[i])] for i in range(tracks)]
    for choice in product(*choices):
        taken = [j for j in choice if j >= 0]
        if len(set(taken)) < len(taken):
            continue  # a plot is of one track at most
        p = 1.0
        for i, j in enumerate(choice):
            p *= miss[i] if j < 0 else weight[i, j]
        total += p
        for i, j in enumerate(choice):
            if j < 0:
                none[i] += p
            else:
                belief[i, j] += p
    return belief / total, none / total


def gated(weight):
    return tuple(np.ascontiguousarray(k) for k in np.nonzero(weight))


def solved(weight, miss):
    track, plot = gated(weight)
    belief, none = marginals(track, plot, weight[track, plot], np.asarray(miss), weight.shape[1])
    full = np.zeros_like(weight)
    full[track, plot] = belief
    return full, none


def spread_by_propagation(weight, miss):
    """The same by belief propagation, whatever the size."""
    track, plot = gated(weight)
    odds = weight[track, plot] / miss[track]
    belief, none, _, _ = propagated(track, plot, odds, *weight.shape)
    full = np.zeros_like(weight)
    full[track, plot] = belief
    return full, none


def propagated_plainly(odds, iterations=2000):
    """Williams & Lau's equations on dense (tracks, plots) odds, until long after they have settled."""
    free = np.ones_like(odds)
    for _ in range(iterations):
        offer = odds * free
        claim = odds / (1.0 + offer.sum(axis=1, keepdims=True) - offer)
        free = 1.0 / (1.0 + claim.sum(axis=0, keepdims=True) - claim)
    total = 1.0 + (odds * free).sum(axis=1)
    return odds * free / total[:, None], 1.0 / total


def random_case(rng, tracks, plots, share, decades=3.0):
    gates = rng.random((tracks, plots)) < share
    return gates * 10.0 ** rng.uniform(-2.0, decades, gates.shape), rng.uniform(0.02, 0.9, tracks)


def test_a_lone_track_takes_its_plots_by_their_weights():
    belief, none = solved(np.array([[2.0, 1.0, 0.5]]), [0.5])
    assert belief[0] == pytest.approx([0.5, 0.25, 0.125]) and none[0] == pytest.approx(0.125)


def test_without_plots_nothing_is_associated():
    belief, none = marginals(
        np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.array([0.1, 0.2]), 0
    )
    assert len(belief) == 0 and none == pytest.approx([1.0, 1.0])


def test_a_track_that_cannot_be_missed_and_has_no_plot_still_gave_none():
    _, none = solved(np.array([[0.0, 0.0], [3.0, 1.0]]), [0.0, 0.0])
    assert none == pytest.approx([1.0, 0.0])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 5), st.integers(1, 6), st.floats(0.1, 1.0), st.integers(0, 2**32 - 1))
def test_small_clusters_are_solved_as_if_every_assignment_were_counted(tracks, plots, share, seed):
    weight, miss = random_case(np.random.default_rng(seed), tracks, plots, share, decades=6.0)
    (ours, none), (exact, exactly_none) = solved(weight, miss), enumerated(weight, miss)
    assert np.allclose(ours, exact, rtol=1e-9, atol=0.0)  # small marginals as surely as great ones
    assert np.allclose(none, exactly_none, rtol=1e-9, atol=0.0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_it_does_not_matter_over_which_side_the_events_are_counted(tracks, plots, seed):
    weight, miss = random_case(np.random.default_rng(seed), tracks, plots, 0.8)
    exact, exactly_none = enumerated(weight, miss)
    track, plot = gated(weight)
    odds = weight[track, plot] / miss[track]
    free = 1.0 - exact.sum(axis=0)
    by_track = counted(track, plot, odds, tracks, plots, *plan(track, plot, tracks, plots))
    by_plot = counted(plot, track, odds, plots, tracks, *plan(plot, track, plots, tracks))
    for belief, of_track, of_plot in (by_track, (by_plot[0], by_plot[2], by_plot[1])):
        assert np.allclose(belief, exact[track, plot], rtol=1e-9)
        assert np.allclose(of_track, exactly_none, rtol=1e-9)
        assert np.allclose(of_plot, free, atol=1e-12)


def test_a_long_line_of_tracks_each_sharing_with_the_next_is_solved_exactly():
    """40 tracks and 41 plots: far too many assignments to count, but few plots are open at once."""
    rng = np.random.default_rng(3)
    count = 40
    # i sees i and i + 1: a chain without loops, where long propagation is exact and says what is right
    weight = np.zeros((count, count + 1))
    weight[range(count), range(count)] = 10.0 ** rng.uniform(-1.0, 2.0, count)
    weight[range(count), range(1, count + 1)] = 10.0 ** rng.uniform(-1.0, 2.0, count)
    miss = rng.uniform(0.02, 0.9, count)
    track, plot = gated(weight)
    assert plan(track, plot, count, count + 1)[3] == 2
    expected, none = propagated_plainly(weight / miss[:, None])
    ours, ours_none = solved(weight, miss)
    assert np.allclose(ours, expected, rtol=1e-7) and np.allclose(ours_none, none, rtol=1e-7)


def test_clusters_do_not_matter_to_each_other():
    rng = np.random.default_rng(8)
    parts = [random_case(rng, 3, 4, 0.8) for _ in range(4)] + [random_case(rng, 1, 2, 1.0)]
    apart = [solved(*part) for part in parts]
    # laid side by side, and then all the tracks and all the plots shuffled
    weight = np.zeros((13, 18))
    row = column = 0
    for part, _ in parts:
        weight[row : row + part.shape[0], column : column + part.shape[1]] = part
        row, column = row + part.shape[0], column + part.shape[1]
    rows, columns = rng.permutation(13), rng.permutation(18)
    belief, none = solved(weight[rows][:, columns], np.concatenate([m for _, m in parts])[rows])
    back = belief[np.argsort(rows)][:, np.argsort(columns)]
    assert np.allclose(none[np.argsort(rows)], np.concatenate([n for _, n in apart]), rtol=1e-9)
    row = column = 0
    for part, _ in apart:
        tracks, plots = part.shape
        assert np.allclose(back[row : row + tracks, column : column + plots], part, rtol=1e-9)
        row, column = row + tracks, column + plots
    assert back.sum() == pytest.approx(sum(part.sum() for part, _ in apart))


@pytest.mark.parametrize("decades", [12, 25])
def test_weights_over_many_decades_neither_overflow_nor_vanish(decades):
    rng = np.random.default_rng(decades)
    weight = 10.0 ** rng.uniform(-decades, decades, (5, 5))
    miss = np.full(5, 1e-9)
    (ours, none), (exact, exactly_none) = solved(weight, miss), enumerated(weight, miss)
    assert np.allclose(ours, exact, rtol=1e-9) and np.allclose(none, exactly_none, rtol=1e-9, atol=1e-30)


def test_where_the_gates_form_a_tree_propagation_is_exact():
    rng = np.random.default_rng(0)
    # a chain track - plot - track - plot - track, and a plot that only the last one sees
    gates = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    for _ in range(20):
        weight = gates * 10.0 ** rng.uniform(-2.0, 3.0, gates.shape)
        miss = rng.uniform(0.02, 0.9, 3)
        ours, exact = spread_by_propagation(weight, miss), enumerated(weight, miss)
        assert np.allclose(ours[0], exact[0], atol=1e-5) and np.allclose(ours[1], exact[1], atol=1e-5)


def test_on_crowded_clusters_propagation_is_near_and_proper():
    rng = np.random.default_rng(11)
    wrong = []
    for _ in range(300):
        weight, miss = random_case(rng, rng.integers(2, 4), rng.integers(2, 5), 0.85)
        (ours, none), (exact, exactly_none) = spread_by_propagation(weight, miss), enumerated(weight, miss)
        assert (ours >= 0.0).all() and (none >= 0.0).all()
        assert np.allclose(ours.sum(axis=1) + none, 1.0, atol=1e-12)  # each track gave one plot or none
        assert (ours.sum(axis=0) <= 1.0 + 1e-3).all()  # each plot is of one track at most
        wrong.append(max(np.abs(ours - exact).max(), np.abs(none - exactly_none).max()))
    # weights over five decades, all gates shared: it can be far off, and that is what the exact way is for
    assert np.median(wrong) < 0.005 and np.mean(wrong) < 0.03 and max(wrong) > 0.1


def test_a_cluster_too_great_to_count_is_propagated_until_it_settles():
    rng = np.random.default_rng(2)
    weight, miss = random_case(rng, 30, 30, 0.9, decades=1.0)
    track, plot = gated(weight)
    assert plan(track, plot, 30, 30)[3] > MOST_BITS and plan(plot, track, 30, 30)[3] > MOST_BITS
    expected, expected_none = propagated_plainly(weight / miss[:, None])
    ours, none = solved(weight, miss)
    assert np.allclose(ours, expected, atol=1e-4) and np.allclose(none, expected_none, atol=1e-4)


def test_a_great_cluster_beside_it_leaves_a_small_one_exact():
    rng = np.random.default_rng(4)
    great, great_miss = random_case(rng, 30, 30, 0.9)
    small, small_miss = random_case(rng, 3, 3, 1.0)
    weight = np.block([[great, np.zeros((30, 3))], [np.zeros((3, 30)), small]])
    ours, none = solved(weight, np.concatenate((great_miss, small_miss)))
    exact, exactly_none = enumerated(small, small_miss)
    assert np.allclose(ours[30:, 30:], exact, rtol=1e-9) and np.allclose(none[30:], exactly_none, rtol=1e-9)
