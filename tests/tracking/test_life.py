"""The end of a track, and where one came from, held against plain statements of the rules."""

from __future__ import annotations

import numpy as np
from watch import NS, place

from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.motion.phases import BALLISTIC, CRUISE
from jointwatch.tracking.bank import FLIGHT
from jointwatch.tracking.interaction import predict_row
from jointwatch.tracking.life import (
    BALLISTIC_KEEP_S,
    CRUISE_KEEP_S,
    DOWN,
    GROUND_M,
    LOST,
    UNSEEN_S,
    VAGUE,
    VAGUE_M,
    retire,
)
from jointwatch.tracking.looks import LONGEST_GAP_S
from jointwatch.tracking.parents import PARENT_M, PARENT_MS, PARENT_S, PLACE_M, PLACE_S, parent_of
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.table import CONFIRMED, FREE, TENTATIVE, new_table

RULES = Rules()


def tracks(rng, n):
    """Tracks at all heights and ages, well known and not, seen lately and long ago."""
    table = new_table(n)
    for row in table:
        row["life"] = rng.choice([FREE, TENTATIVE, CONFIRMED, CONFIRMED, CONFIRMED])
        height = rng.choice([rng.uniform(-2000.0, 3000.0), rng.uniform(10e3, 200e3)])
        state = place(
            rng.uniform(31.0, 33.0), rng.uniform(35.0, 39.0), height, *rng.normal(0.0, 500.0, 3), -8.4
        )
        row["mean"][:] = state
        row["covariance"][:] = np.diag([10.0 ** rng.uniform(2.0, 9.3)] * 3 + [100.0] * 3 + [0.1])
        row["phase"] = rng.dirichlet(np.full(3, 0.3))
        row["log_odds"] = rng.normal(1.0, 4.0)
        row["time_ns"] = round((1000.0 - 10.0 ** rng.uniform(-1.0, 3.1)) * NS)
        row["seen_ns"] = row["time_ns"] - round(10.0 ** rng.uniform(-1.0, 3.1) * NS)
    return table


def end_of(row, time_ns):
    """Why a track ends by time_ns, in words of the rules; 0: it does not."""
    gap_s, unseen_s = (time_ns - row["time_ns"]) / NS, (time_ns - row["seen_ns"]) / NS
    if UNSEEN_S < gap_s <= LONGEST_GAP_S:
        predict_row(FLIGHT, row, time_ns)
    k = int(np.argmax(row["phase"]))
    ahead_s = (time_ns - row["time_ns"]) / NS
    there = row["mean"][k][:3] + ahead_s * row["mean"][k][3:6]
    if row["log_odds"] < RULES.gone_log_odds or gap_s > LONGEST_GAP_S:
        return LOST
    if height_above_ellipsoid(*there) < GROUND_M:
        return DOWN
    if unseen_s > (CRUISE_KEEP_S if k == CRUISE else BALLISTIC_KEEP_S):
        return LOST
    return VAGUE if np.trace(row["covariance"][k][:3, :3]) > VAGUE_M**2 else 0


def test_tracks_end_for_the_reasons_that_the_rules_state():
    rng, reasons = np.random.default_rng(3), []
    for _ in range(40):
        table = tracks(rng, 60)
        plain, time_ns = table.copy(), 1000 * NS
        told = {i: end_of(plain[i], time_ns) for i in range(60) if plain[i]["life"] == CONFIRMED}
        gone, moved = retire(table, np.arange(60), FLIGHT, RULES.row(), time_ns)
        assert dict(gone.tolist()) == {i: why for i, why in told.items() if why}
        assert (table["life"][gone[:, 0]] == FREE).all()
        assert moved.tolist() == [i for i in told if table[i]["time_ns"] == time_ns]
        reasons += gone[:, 1].tolist()
    assert min(reasons.count(why) for why in (DOWN, LOST, VAGUE)) > 30


def test_a_new_track_came_from_what_was_missed_since_it_began_there_or_else_from_the_nearest_old_one():
    rng, some, instead, young = np.random.default_rng(4), 0, 0, 0
    for _ in range(600):
        table = new_table(12)
        table["life"] = rng.choice([TENTATIVE, CONFIRMED, CONFIRMED], 12)
        table["mean"][:, BALLISTIC, :3] = rng.normal(0.0, 3000.0, (12, 3))
        table["mean"][:, BALLISTIC, 3:6] = rng.normal(0.0, 500.0, 3) + rng.normal(0.0, 60.0, (12, 3))
        table["first_ns"] = rng.uniform(0.0, 100.0, 12) * NS
        table["seen_ns"] = table["first_ns"] + rng.uniform(0.0, 60.0, 12) * NS
        table["misses"] = rng.choice([0, 1, 3], 12)
        table["time_ns"] = 150 * NS - rng.choice([0, 2], 12) * NS
        i = int(rng.integers(12))
        # parts of one break-up begin together, where it was, before it is missed or after
        late = rng.uniform(size=12) < 0.3
        whole, began_s = (i + 1) % 12, rng.uniform(95.0, 148.0)
        late[i], late[whole] = True, False
        table["first_ns"][late] = began_s * NS
        table["first_ns"][whole] = (began_s - rng.uniform(10.0, 90.0)) * NS
        table["seen_ns"][whole] = (began_s + rng.uniform(-10.0, 10.0)) * NS
        scatter = rng.normal(0.0, [700.0] * 3 + [20.0] * 3, (late.sum(), 6))
        table["mean"][late, BALLISTIC, :6] = table["mean"][whole, BALLISTIC, :6] + scatter
        m, confirmed = table["mean"][:, BALLISTIC], table["life"] == CONFIRMED

        def began(k, table=table, m=m):
            """How far from where each then was row k began."""
            at = m[:, :3] - (table["time_ns"] - table["first_ns"][k])[:, None] / NS * m[:, 3:6]
            return np.linalg.norm(at - at[k], axis=1)

        apart = np.linalg.norm(m[:, :3] - m[i, :3], axis=1)
        older_s = (table["first_ns"][i] - table["first_ns"]) / NS
        others = np.zeros(12)
        for k in np.flatnonzero(confirmed & (np.arange(12) != i)):
            later_s = (table["first_ns"][k] - table["first_ns"]) / NS
            others += (np.arange(12) != k) & (began(k) < PLACE_M) & (later_s >= PLACE_S)
        replaced = (began(i) < PLACE_M) & (older_s >= PLACE_S) & (table["misses"] > 0)
        unseen = table["seen_ns"] < table["first_ns"][i]
        replaced &= (unseen & (older_s >= PARENT_S)) | (others > 0)
        gone = replaced & unseen
        beside = (apart < PARENT_M) & (older_s >= PARENT_S)
        fits = confirmed & (np.arange(12) != i) & (np.linalg.norm(m[:, 3:6], axis=1) >= PARENT_MS)
        far = np.where(replaced, 1e9 + began(i), np.where(beside, 2e9 + apart, np.inf))
        far = np.where(fits, np.where(gone, began(i), far), np.inf)
        nearest = int(np.argmin(far)) if np.isfinite(far).any() else -1
        assert parent_of(table, np.arange(12), i) == nearest
        some += nearest >= 0
        instead += bool(nearest >= 0 and replaced[nearest])
        young += bool(nearest >= 0 and older_s[nearest] < PARENT_S)
    assert some > 60 and instead > 10 and young > 5
