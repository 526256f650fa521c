"""A node tells how many launches a salvo is, when that changes and when it is over; no alarm hangs on it."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from test_burns_of_a_node import EYES, PLACE, stepped
from test_infrared_of_a_node import eye, scan_of
from test_node import node

import jointwatch.node.burning as burning
from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.launch.ascent import AZIMUTH, EAST, KNOTS, NORTH, VALUES, ascend, state_at
from jointwatch.launch.burns import Burns
from jointwatch.launch.fit import medians
from jointwatch.launch.profiles import profile_named
from jointwatch.node.journal import Journal
from jointwatch.node.node import Node
from jointwatch.node.replay import check_journal
from jointwatch.node.scribe import Output
from jointwatch.records import Alert, Group, InfraredScan, LaunchReport


def salvo_scans(count: int, span_s: float, until_s: float = 190.0) -> list[InfraredScan]:
    """Looks at medium-range missiles launched within a span, 30 s after the start."""
    rng, row = np.random.default_rng(3), profile_named("medium_range").row()
    flown, found = [], []
    for _ in range(count):
        values = np.zeros(VALUES)
        values[AZIMUTH], values[EAST], values[NORTH] = 2.0, *rng.normal(0.0, 4e3, 2)
        medians(row, values)
        times, states = np.empty(KNOTS), np.empty((KNOTS, 6))
        n = ascend(row, values, PLACE, math.inf, times, states)
        flown.append((30.0 + span_s * rng.uniform(), times, states, n))
    for k, partner in enumerate(("Amber", "Blue")):
        site = np.array(scan_of(partner, 0.0, 0).site_m)
        for i, seconds in enumerate(np.arange(1.0 + 4.0 * k, until_s, eye(partner).period_s).tolist()):
            plots = []
            for at, times, states, n in flown:
                s = np.empty(6)
                state_at(times, states, n, seconds - at, s)
                burns = 0.0 <= seconds - at <= times[n - 1] and height_above_ellipsoid(*s[:3]) > 3e3
                if burns and rng.uniform() < 0.9:
                    way = s[:3] - site + 800.0 * rng.normal(size=3)
                    plots.append(way / np.linalg.norm(way))
            x, y, z = (tuple(c) for c in np.array(plots).reshape(-1, 3).T.tolist())
            scan = scan_of(
                partner, seconds, 0, along_x=x, along_y=y, along_z=z, intensity_w_sr=(4e5,) * len(plots)
            )
            found.append(replace(scan, header=replace(scan.header, sequence=i)))
    return sorted(found, key=lambda scan: scan.header.measured_ns)


def groups(out: list[Output]) -> list[Group]:
    return [o for o in out if isinstance(o, Group)]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Posteriors of the burns are what takes long, and not what is asked here."""
    monkeypatch.setattr(burning, "Burns", partial(Burns, draws=20))


def watching() -> Node:
    return node(satellites=EYES[:1], partner_satellites=EYES[1:])


def test_a_salvo_is_told_when_its_number_changes_and_once_when_it_is_over() -> None:
    told = groups(stepped(watching(), salvo_scans(8, 15.0)))
    assert 2 <= len(told) <= 8
    assert told[-1].fewest <= 8 <= told[-1].most and told[-1].most - told[-1].fewest <= 8
    # so long after the last, each is news: beyond what was told before it, or the end
    for before, after in pairwise(told[:-1]):
        assert not before.fewest <= after.number <= before.most


def test_two_launches_are_told_of_one_by_one() -> None:
    assert groups(stepped(watching(), salvo_scans(2, 20.0))) == []


def test_no_alarm_and_no_launch_hangs_on_salvos(monkeypatch: pytest.MonkeyPatch) -> None:
    def others(out: list[Output]) -> list[Alert | LaunchReport]:
        told = [o for o in out if isinstance(o, Alert | LaunchReport)]
        return [replace(o, header=replace(o.header, sequence=0)) for o in told]

    looks = salvo_scans(3, 8.0)
    told = others(stepped(watching(), looks))
    monkeypatch.setattr(burning, "salvos", lambda *_: [])
    assert others(stepped(watching(), looks)) == told != []


def test_a_journal_with_salvos_comes_out_again_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "amber.journal.sqlite"
    one = Node(watching().config, Journal(path))
    assert groups(stepped(one, salvo_scans(4, 8.0)))
    one.journal.close()
    assert check_journal(path).same
