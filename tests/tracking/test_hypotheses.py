"""A cluster's hypotheses: the best events are the best, and clusters that meet are independent until then."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.tracking.hypotheses import (
    LEAST_EVENT,
    MOST_HYPOTHESES,
    UNSEEN,
    best_events,
    drop_ended,
    joined,
    new_clusters,
    options_of,
)
from jointwatch.tracking.table import CONFIRMED, FREE, LOCAL, new_table


def a_case(rng, parents, tracks, plots):
    """Hypotheses, the row of each of their tracks (some UNSEEN), and every row's pairs and weights."""
    rows = parents * tracks
    unit = rng.integers(0, rows, (parents, tracks))
    unit[:, rng.random(tracks) < 0.2] = UNSEEN
    gates = [np.flatnonzero(rng.random(plots) < 0.6) for _ in range(rows)]
    first = np.concatenate([[0], np.cumsum([len(g) for g in gates])])
    plot = np.concatenate(gates).astype(np.int64)
    weight = 10.0 ** rng.uniform(-1.5, 1.5, len(plot))
    miss = rng.uniform(0.05, 1.0, rows)
    return rng.uniform(-3.0, 0.0, parents), unit, first, plot, weight, miss


def all_events(log_parent, unit, first, plot, weight, miss):
    """(log weight, hypothesis, pairs) of every event, the best first."""
    out = []
    for g, rows in enumerate(unit):
        choices = [[UNSEEN] if u < 0 else [UNSEEN, *range(first[u], first[u + 1])] for u in rows]
        for pairs in product(*choices):
            used = [plot[e] for e in pairs if e >= 0]
            if len(set(used)) == len(used):
                parts = [
                    0.0 if u < 0 else np.log(miss[u] if e < 0 else weight[e])
                    for u, e in zip(rows, pairs, strict=True)
                ]
                out.append((log_parent[g] + sum(parts), g, pairs))
    return sorted(out, key=lambda event: -event[0])


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_the_best_events_are_those_that_counting_all_finds(parents, tracks, plots, most, seed):
    log_parent, unit, first, plot, weight, miss = a_case(np.random.default_rng(seed), parents, tracks, plots)
    rows = np.arange(parents * tracks)
    options = options_of(rows, first, plot, weight, miss, np.arange(plots))
    found = best_events(log_parent, unit, options, most)
    every = all_events(log_parent, unit, first, plot, weight, miss)
    wanted = [event for event in every[:most] if event[0] > every[0][0] + LEAST_EVENT]
    assert np.allclose(found.log_weight, [event[0] for event in wanted], rtol=0.0, atol=1e-9)
    known = {(g, pairs): w for w, g, pairs in every}
    for w, g, pairs in zip(found.log_weight, found.parent, found.pair, strict=True):
        assert known[int(g), tuple(pairs.tolist())] == pytest.approx(w, abs=1e-9)
    assert len({(int(g), *p) for g, p in zip(found.parent, found.pair.tolist(), strict=True)}) == len(wanted)


def two_clusters():
    """Two clusters, of two tracks and of one and a half: rows 0 to 3 told, and a local row for each state."""
    table, clusters = new_table(16), new_clusters(4)
    for place, rows, locals_, weights in (
        (0, (0, 1), ((4, 5), (6, 7)), (0.6, 0.4)),
        (2, (2, 3), ((8, 9), (8, 10), (11, 9)), (0.5, 0.3, 0.2)),
    ):
        one = clusters[place]
        one["tracks"], one["hypotheses"] = 2, len(weights)
        one["row"][:2], one["number"][:2] = rows, [r + 1 for r in rows]
        one["weight"][: len(weights)] = weights
        one["local"][: len(weights), :2] = locals_
        table["cluster"][list(rows)] = place + 1
    table["life"][:4], table["number"][:4] = CONFIRMED, [1, 2, 3, 4]
    table["life"][4:12] = LOCAL
    return table, clusters


def test_clusters_that_meet_have_every_combination_of_their_hypotheses():
    _, clusters = two_clusters()
    told, log_weight, row = joined(clusters, np.array([12]), np.array([0, 2]), 5)
    assert told.tolist() == [0, 1, 2, 3, 12]
    assert np.allclose(np.exp(log_weight), [0.3, 0.2, 0.18, 0.12, 0.12, 0.08])
    assert row[0].tolist() == [4, 5, 8, 9, 12] and row[5].tolist() == [6, 7, 11, 9, 12]
    assert len(row) <= MOST_HYPOTHESES


def test_a_track_that_ended_leaves_its_cluster_and_its_local_rows_are_free():
    table, clusters = two_clusters()
    table["life"][2] = FREE
    drop_ended(clusters, table)
    # a lone track needs no hypotheses: the cluster is given up and the track goes on as it was told
    assert clusters["tracks"].tolist() == [2, 0, 0, 0] and table["cluster"][3] == 0
    assert (table["life"][8:12] == FREE).all() and (table["life"][4:8] == LOCAL).all()


def test_a_row_used_anew_is_not_taken_for_the_track_that_had_it():
    table, clusters = two_clusters()
    table["number"][0] = 9
    drop_ended(clusters, table)
    assert clusters["tracks"].tolist() == [0, 0, 2, 0] and table["cluster"][1] == 0
    assert (table["life"][4:8] == FREE).all() and (table["life"][8:12] == LOCAL).all()
