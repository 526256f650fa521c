"""The steps of a look: a whole one against its steps one by one, and what begins against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from watch import NS, RADAR, ROW, Flight, place, salvo, sectors

from jointwatch.motion.phases import BALLISTIC, BOOST, CRUISE
from jointwatch.sensing.expectation import plots_of
from jointwatch.sensing.radar import observe
from jointwatch.tracking import engine as engine_room
from jointwatch.tracking.bank import FLIGHT, SPEED
from jointwatch.tracking.branching import find_parents
from jointwatch.tracking.clutter import clutter_density, learn_clutter
from jointwatch.tracking.confirmed import update_confirmed
from jointwatch.tracking.detection import judge_looks, new_detection
from jointwatch.tracking.duplicates import merge_duplicates
from jointwatch.tracking.gating import gate
from jointwatch.tracking.interaction import ASLEEP
from jointwatch.tracking.life import DOUBLE, retire
from jointwatch.tracking.offers import BRANCHES, MOST_LOG_ODDS, NONE
from jointwatch.tracking.one_look import Outcome
from jointwatch.tracking.reach import reach_at, steady_pull
from jointwatch.tracking.rows import match_moments
from jointwatch.tracking.rules import Rules
from jointwatch.tracking.scene import places_of
from jointwatch.tracking.second_plot import second_plot_density
from jointwatch.tracking.seeds import GONE_NS, LOG_ODDS, TIME_NS, Seeds, drop_seeds, sow
from jointwatch.tracking.table import CONFIRMED, FREE, TENTATIVE, new_table
from jointwatch.tracking.tentative import confirm, update_tentative
from jointwatch.tracking.tracker import Tracker
from jointwatch.tracking.undetected import after_look, birth_density
from jointwatch.tracking.whereabouts import may_have_ended, note_rows

TURN = 2.0 * math.pi


def step_by_step(
    picture, learning, rules, chains, index, wedge, time_ns, plots, identity, begun, looked, offered, waiting,
    begins, free, next_number, sweep,
):  # fmt: skip
    """`one_look.take_look`, each step called from Python."""
    assert begins and not waiting.near.any()
    table, bank, sensor, detection = (
        picture.table, picture.bank, picture.sensors[index], picture.detection[index],
    )  # fmt: skip
    density = clutter_density(learning.clutter, sensor, plots)
    assert np.array_equal(density, begun.density)
    birth = birth_density(learning.undetected, sensor, detection, plots, time_ns)
    after_look(learning.undetected, sensor, detection, *wedge, time_ns)
    branches = find_parents(
        table, chains, learning.bed, bank, sensor, detection, index, wedge, time_ns, plots, density, birth
    )
    claimed, touched, seen, gave, ranges, gain, claims = update_confirmed(
        table, picture.clusters, looked, picture.scratch, bank, rules, sensor, detection, *wedge, time_ns,
        plots, identity, density * (1.0 + branches.rivals),
    )  # fmt: skip
    judge_looks(picture.detection, picture.sensors, index, table, touched, seen, gave, ranges)
    merged = merge_duplicates(table, picture.clusters, touched, seen, gave, rules)
    ended = [(table["first_plot"][i], table["chain"][i], DOUBLE) for i in merged]
    free = min([free, *merged.tolist()])
    lost, free, chains = update_tentative(
        table, learning.bed, free, bank, sensor, index, time_ns, plots, identity, density, claimed, birth,
        branches,
    )  # fmt: skip
    learn_clutter(learning.clutter, sensor, *wedge, plots, claimed)
    fresh = confirm(table, chains, rules, next_number)
    if len(fresh):
        life = table["life"][chains]
        free = min([free, *chains[life == FREE].tolist()])
        chains = chains[life == TENTATIVE]
        drop_seeds(learning.bed, np.unique(table["evidence"][fresh]))
    asked = np.concatenate([touched, fresh])
    if sweep:
        asked = np.union1d(asked, may_have_ended(picture.where, time_ns, rules))
    gone, moved = retire(table, asked, bank, rules, time_ns)
    ended += [(table["first_plot"][i], table["chain"][i], why) for i, why in gone.tolist()]
    free = min([free, *gone[:, 0].tolist()])
    note_rows(picture.where, table, np.concatenate([begun.told, fresh, gone[:, 0], moved]), bank, rules)
    return Outcome(touched, fresh, np.array(ended).reshape(-1, 3), chains, claimed, lost, free, gain, claims)


def played():
    """A tracker after a salvo, an aircraft's track and clutter."""
    rng = np.random.default_rng(8)
    tracker = Tracker("Amber", [RADAR], capacity=512)
    flights = [Flight(0.0, place(32.6, 38.6, 120e3, -1700.0, -60.0, 500.0, -8.4)), *salvo(rng, 4, over_s=5.0)]
    for sector in sectors(rng, RADAR, flights, 70.0, clutter_per_scan=120.0):
        tracker.process(sector)
    return tracker


def test_a_look_in_one_kernel_is_its_steps_one_by_one(monkeypatch):
    one = played()
    monkeypatch.setattr(engine_room, "take_look", step_by_step)
    other = played()
    assert (
        one.table.tobytes() == other.table.tobytes()
        and one.engine.clusters.tobytes() == other.engine.clusters.tobytes()
    )
    assert one.engine.chains.tolist() == other.engine.chains.tolist() and one.engine.free == other.engine.free
    assert one.engine.where.rows().tolist() == other.engine.where.rows().tolist()
    seeds, others = one.engine.learned[0].seeds, other.engine.learned[0].seeds
    assert seeds.live.tobytes() == others.live.tobytes() and seeds.sights.tobytes() == others.sights.tobytes()
    assert (one.table["life"] == CONFIRMED).sum() >= 2 and one.engine.next_number > 2


def test_the_seeds_that_a_plot_may_continue_are_the_best_of_all():
    """Every seed within reach weighed against every plot: order and the grid leave none of them out."""
    rng, kept = np.random.default_rng(11), 0
    detection, scratch = new_detection(ROW), new_table(1)
    for _ in range(30):
        about = np.column_stack([
            rng.uniform(1e5, 3e5, 5), rng.uniform(0.5, 1.5, 5), rng.uniform(0.1, 0.8, 5),
            rng.uniform(-900.0, 900.0, 5),
        ])  # fmt: skip
        first = np.repeat(about, 8, axis=0) + rng.standard_normal((40, 4)) * [2e3, 0.01, 0.01, 200.0]
        dt = rng.uniform(2.0, 12.0)
        then = first + rng.standard_normal((40, 4)) * [300.0, 0.01, 0.01, 60.0]
        then[:, 0] += first[:, 3] * dt
        seeds = Seeds()
        for i, plot in enumerate(plots_of(first)):
            assert sow(seeds.room(1), scratch, FLIGHT, ROW, plot, 0, i, rng.uniform(-6.0, 2.0))
        plots, time_ns = plots_of(then[np.argsort(then[:, 0])]), round(dt * NS)
        density, birth = np.full(40, 1e-14), np.full(40, 1e-19)
        found = find_parents(
            scratch, np.zeros(0, np.int64), seeds.bed, FLIGHT, ROW, detection, 0, (0.0, TURN), time_ns, plots,
            density, birth,
        )  # fmt: skip
        places, state = places_of(ROW, detection, plots), np.empty(7)
        for j in range(40):
            odds = {}
            for a in range(seeds.count):
                seed = seeds.live[a]
                apart, begun = np.linalg.norm(places.position[j] - seed["place"]), seed["plot"][[0, 3]]
                value, near, rate, steady, reach = reach_at(ROW, FLIGHT[0, SPEED], *begun, dt)
                if apart > reach or abs(plots[j, 0] - value) > near or abs(plots[j, 3] - rate) > steady:
                    continue
                if not steady_pull(ROW, tuple(begun), (plots[j, 0], plots[j, 3]), dt):
                    continue
                p = second_plot_density(
                    ROW, FLIGHT, seed["place"], begun[1], places.position[j],
                    plots[j, 3], dt, state,
                )  # fmt: skip
                if p > 0.0:
                    log_odds = seeds.sights[a, LOG_ODDS] + math.log(p * places.seen[j] / density[j])
                    if log_odds >= math.log(birth[j] / density[j]):
                        odds[NONE - 1 - a] = min(log_odds, MOST_LOG_ODDS)
            best = sorted(odds, key=lambda name: -odds[name])[:BRANCHES]
            told = dict(zip(found.parents[j].tolist(), found.odds[j].tolist(), strict=True))
            assert {name for name in told if name != NONE} == set(best)
            assert all(abs(told[name] - odds[name]) < 1e-6 for name in best)
            kept += len(best)
        assert (seeds.sights[:, TIME_NS] != GONE_NS).all()
    assert kept > 1000


def confirmed_by_the_rules(chains, rules, next_number):
    """Which of some chains (number, log odds, hits, plots) are tracks, best first; hits and lives after."""
    out, alive, hits = [], {c[0] for c in chains}, {c[0]: c[2] for c in chains}

    def good(c):
        enough = hits[c[0]] >= rules.confirm_hits or c[1] >= rules.at_once_log_odds
        return hits[c[0]] >= rules.at_once_hits and c[1] > rules.confirm_log_odds and enough

    for c in sorted((c for c in chains if good(c)), key=lambda c: -c[1]):
        if c[0] not in alive or not good(c):
            continue
        out.append(c[0])
        for plot in c[3]:
            for other in chains:
                if other[0] in alive and other[0] not in out and plot in other[3]:
                    common = len(set(other[3]) & set(c[3]))
                    if common == 1 and hits[other[0]] > 2:
                        hits[other[0]] -= 1
                    else:
                        alive.discard(other[0])
    return out, alive, hits


def test_chains_are_confirmed_best_first_and_those_that_share_their_plots_go():
    rng, many, freed = np.random.default_rng(5), 0, 0
    rules = Rules(false_tracks_per_day=None, confirm_log_odds=4.0, at_once_log_odds=12.0)
    for _ in range(200):
        table = new_table(14)
        chains = []
        for i, row in enumerate(table):
            hits = int(rng.integers(2, 7))
            own = rng.choice(45, hits, replace=False)
            row["life"], row["hits"], row["log_odds"] = TENTATIVE, hits, rng.uniform(0.0, 16.0)
            row["evidence"][:] = -1
            row["evidence"][:hits] = own
            chains.append((i, float(row["log_odds"]), hits, own.tolist()))
        winners, alive, hits = confirmed_by_the_rules(chains, rules, 1)
        assert confirm(table, np.arange(14), rules.row(), 7).tolist() == winners
        assert table["number"][winners].tolist() == list(range(7, 7 + len(winners)))
        assert (table["life"][winners] == CONFIRMED).all()
        assert set(np.flatnonzero(table["life"] != FREE).tolist()) == alive
        left = [i for i in alive if i not in winners]
        assert table["hits"][left].tolist() == [hits[i] for i in left]
        many, freed = many + len(winners), freed + 14 - len(alive)
    assert many > 300 and freed > 200


def test_chains_branch_over_every_plot_that_they_may_have_given_and_seeds_are_sown_of_all():
    """The rows and seeds after a look, told from what each plot may continue by plain bookkeeping."""
    tracker, rng = played(), np.random.default_rng(9)
    engine = tracker.engine
    known, table, chains = engine.learned[0], engine.table.copy(), engine.chains.copy()
    bed, detection, time_ns = known.seeds.copy(), engine.detection[0], engine.present_ns + round(0.6 * NS)
    columns = [observe(ROW, *table[i]["mean"][BALLISTIC][:6]) for i in chains]
    for seed in bed.live[rng.permutation(bed.count)[:40]]:
        there = seed["plot"][:4].copy()
        there[0] += there[3] * (time_ns - seed["time_ns"]) * 1e-9
        columns.append(there)
    plots = plots_of(np.array(columns))
    plots = plots[np.argsort(plots[:, 0])]
    m = len(plots)
    density, birth, identity = np.full(m, 1e-13), np.full(m, 1e-18), 10**6 + np.arange(m)
    claimed = np.where(np.arange(m) % 5 == 0, 0.9, 0.0)
    branches = find_parents(
        table, chains, bed.bed, FLIGHT, ROW, detection, 0, (0.0, TURN), time_ns, plots, density, birth
    )
    before, count = table.copy(), bed.count
    wanted = {
        (int(identity[j]), parent, round(float(odds), 9))
        for j in range(m)
        if claimed[j] <= 0.5
        for parent, odds in zip(branches.parents[j].tolist(), branches.odds[j].tolist(), strict=True)
        if parent != NONE
    }
    roots = {NONE - 1 - a: int(bed.live[a]["identity"]) for a in range(count)}
    roots |= {i: int(before[i]["first_plot"]) for i in chains.tolist()}
    lost, _, kept = update_tentative(
        table, bed.room(m), 0, FLIGHT, ROW, 0, time_ns, plots, identity, density, claimed, birth, branches
    )
    new = [i for i in kept.tolist() if table[i]["evidence"][0] >= 10**6]
    found = sorted(
        (int(row["evidence"][0]), int(row["first_plot"]), round(float(row["log_odds"]), 9))
        for row in table[new]
    )
    assert lost == 0 and len(new) > 20
    assert found == sorted((plot, roots[parent], odds) for plot, parent, odds in wanted)
    assert (before["life"][new] == FREE).all() and (table["life"][new] == TENTATIVE).all()
    assert (table["time_ns"][new] == time_ns).all() and np.allclose(table["phase"][new].sum(axis=1), 1.0)
    for a, i in enumerate(chains.tolist()):  # those that were: a look that should have shown them counts
        looked = branches.looked[a]
        missed = math.log(1.0 - min(looked, 0.999)) if looked > 0.0 else 0.0
        if table[i]["life"] == TENTATIVE and i in kept and i not in new:
            assert table[i]["log_odds"] == before[i]["log_odds"] + missed
    sown = [s for s in bed.live if s["identity"] >= 10**6]
    assert [int(s["identity"]) for s in sown] == identity[claimed <= 0.5].tolist()
    assert np.allclose(bed.sights[-len(sown) :, LOG_ODDS], math.log(1e-18 / 1e-13))


def test_a_mixture_of_rows_has_their_moments_motion_by_motion():
    rng = np.random.default_rng(10)
    for _ in range(60):
        n = int(rng.integers(1, 5))
        rows, out = new_table(n + 2), new_table(1)
        for row in rows:
            row["mean"] = rng.normal(0.0, 100.0, (3, 7))
            root = rng.normal(0.0, 10.0, (3, 7, 7))
            row["covariance"] = root @ root.transpose(0, 2, 1)
            row["phase"], row["log_odds"] = rng.dirichlet(np.ones(3)), rng.normal(1.0, 2.0)
        which, weight = rng.permutation(n + 2)[:n], rng.dirichlet(np.ones(n))
        match_moments(out[0], rows, which, weight, 3, 9.0)
        part = rows[which]
        exists = 1.0 / (1.0 + np.exp(-part["log_odds"]))
        assert 1.0 / (1.0 + np.exp(-out[0]["log_odds"])) == pytest.approx(weight @ exists, rel=1e-9)
        share = (weight * exists)[:, None] * part["phase"]
        assert np.allclose(out[0]["phase"], share.sum(axis=0) / share.sum(), rtol=1e-9)
        for k in range(3):
            w = share[:, k] / share[:, k].sum()
            mean = w @ part["mean"][:, k]
            off = part["mean"][:, k] - mean
            cov = np.einsum("i,iab->ab", w, part["covariance"][:, k]) + np.einsum("i,ia,ib->ab", w, off, off)
            assert np.allclose(out[0]["mean"][k], mean) and np.allclose(out[0]["covariance"][k], cov)


def test_a_crowd_gates_a_row_whose_motions_sleep_as_one_whose_motions_do_not():
    """Enough plots for the grid to be asked, some where a motor may have pulled it."""
    rng, slept, paired = np.random.default_rng(12), 0, 0
    for _ in range(60):
        table = new_table(1)
        table[0]["mean"][:] = place(32.6, 37.0, 130e3, -1500.0, 150.0, 200.0, -8.6)
        table[0]["covariance"][:] = np.diag([1e4, 1e4, 1e4, 25.0, 25.0, 25.0, 0.1])
        table[0]["phase"], table[0]["life"], table[0]["log_odds"] = (1e-7, 1.0 - 2e-7, 1e-7), CONFIRMED, 6.0
        table[0]["time_ns"], table[0]["asleep"] = 100 * NS, 1 << BOOST | 1 << CRUISE
        state = table[0]["mean"][BALLISTIC][:6].copy()
        state[:3] += 5.0 * state[3:6]
        there = np.array(observe(ROW, *state))
        far = 10.0 ** rng.uniform(-1.0, 1.0)
        columns = there + rng.standard_normal((80, 4)) * np.array([2e3, 0.02, 0.02, 60.0]) * far
        plots = plots_of(columns[np.argsort(columns[:, 0])])
        lazy, full = (
            gate(
                table.copy(), np.array([0]), FLIGHT, ROW, new_detection(ROW), 0.0, TURN, 105 * NS, plots,
                np.full(80, 1e-12), asleep,
            )
            for asleep in (ASLEEP, 0.0)
        )  # fmt: skip
        if not lazy.asleep.any():
            assert lazy.plot.tolist() == full.plot.tolist() and np.array_equal(lazy.share, full.share)
            continue
        slept += 1
        most = full.weight.max(initial=0.0)
        weighed = zip(full.plot.tolist(), full.weight.tolist(), strict=True)
        heavy = {j: w for j, w in weighed if w > 1e-2 * most}
        told = dict(zip(lazy.plot.tolist(), lazy.weight.tolist(), strict=True))
        assert all(told[j] == pytest.approx(w, rel=2e-3) for j, w in heavy.items())
        paired += len(heavy)
    assert slept > 10 and paired > 15
