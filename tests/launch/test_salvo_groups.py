"""Salvos as group records: who is in, how many they are, and where on the ground."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_scans import START_NS

from jointwatch.earth.frames import ecef2geodetic, enu_rotation, geodetic2ecef
from jointwatch.launch.ascent import EAST, NORTH, VALUES
from jointwatch.launch.burns import Burn
from jointwatch.launch.posterior import Posterior
from jointwatch.launch.salvo import Looked, Salvo
from jointwatch.launch.salvo_groups import groups_of_salvos, is_of_burns
from jointwatch.records import Group, Header, decode, encode

PLACE = np.radians([34.0, 48.0])


def burn(number: str, east_m: float, sigma_m: float = 1000.0, known: bool = True) -> Burn:
    """A burn launched so far east of a place, known so well to the east and half as well to the north."""
    rng = np.random.default_rng(int(number[-4:]))
    values = np.zeros((400, VALUES))
    values[:, EAST] = east_m + sigma_m * rng.normal(size=400)
    values[:, NORTH] = 0.5 * sigma_m * rng.normal(size=400)
    weight = np.full(400, 1.0 / 400.0)
    posterior = Posterior(PLACE, START_NS, np.zeros(400, np.int64), values, weight, 0.0, 1.0)
    return Burn(
        number=number, state="confirmed", looks=np.zeros((0, 8)), epoch_ns=START_NS,
        posterior=posterior if known else None, log_odds=20.0, sensors=("east", "west"), first_ns=START_NS,
        last_ns=START_NS, plots=5, changed=False,
    )  # fmt: skip


def header() -> Header:
    return Header(originator="Amber", source="test", sequence=1, measured_ns=START_NS)


def seen() -> Looked:
    """Three plots above a place."""
    at = np.array(geodetic2ecef(*PLACE.tolist(), 25e3))
    times = np.full(3, START_NS)
    return Looked(
        "east", times[:1], np.array([3]), times, np.tile(at / 7e6, (3, 1)), np.tile(at, (3, 1)), 4e7
    )


def told(burns: list[Burn], probability: list[float]) -> list[Group]:
    salvo = Salvo((seen(),), tuple(b.number for b in burns), True, np.array(probability))
    return groups_of_salvos([salvo], {b.number: b for b in burns}, header)


def test_a_salvo_says_who_is_in_it_and_how_many_they_are() -> None:
    burns = [burn(f"AMBER-B000{k}", 8000.0 * k) for k in (1, 2, 3)]
    (group,) = told(burns, [0.0, 0.01, 0.05, 0.6, 0.3, 0.04, 1e-6])
    assert group.members == ("AMBER-B0001", "AMBER-B0002", "AMBER-B0003")
    assert (group.number, group.fewest, group.most) == (3, 2, 4)
    # more may have been launched than there are burns; what is all but impossible is left out
    assert len(group.chances) == 6
    assert math.fsum(group.chances) == pytest.approx(1.0)
    assert is_of_burns(group)
    assert decode(encode(group), "test") == group


def test_it_stands_where_it_was_launched_with_what_is_not_known_of_it() -> None:
    burns = [burn("AMBER-B0001", -20e3), burn("AMBER-B0002", 20e3)]
    (group,) = told(burns, [0.0, 0.1, 0.9])
    latitude, longitude, height = ecef2geodetic(*group.centre)
    assert math.degrees(latitude) == pytest.approx(34.0, abs=0.01)
    assert math.degrees(longitude) == pytest.approx(48.0, abs=0.01)
    assert abs(height) < 100.0
    assert group.velocity == (0.0, 0.0, 0.0)
    spread = np.zeros((3, 3))
    spread[np.triu_indices(3)] = group.spread
    spread += np.triu(spread, 1).T
    level = enu_rotation(latitude, longitude)[:2]
    east, north = np.sqrt(np.diag(level @ spread @ level.T))
    assert east == pytest.approx(math.hypot(20e3, 1000.0), rel=0.02)
    assert north == pytest.approx(500.0, rel=0.1)


def test_a_burn_whose_place_is_not_known_is_counted_and_tells_no_place() -> None:
    (group,) = told([burn("AMBER-B0001", 0.0), burn("AMBER-B0002", 0.0, known=False)], [0.0, 0.2, 0.8])
    assert len(group.members) == 2


def test_without_a_burn_it_stands_under_its_first_plots() -> None:
    (group,) = told([], [0.0, 0.0, 0.0, 0.2, 0.8])
    latitude, longitude, height = ecef2geodetic(*group.centre)
    assert [latitude, longitude] == pytest.approx(PLACE.tolist(), abs=1e-4) and abs(height) < 100.0
    # how high the plots are is not known, nor so where they rose
    assert 20e3 < math.sqrt(group.spread[0]) < 60e3
    assert is_of_burns(group) and group.members == () and (group.fewest, group.most) == (3, 4)
    assert decode(encode(group), "test") == group


def test_a_group_of_tracks_is_none_of_burns() -> None:
    (group,) = told([burn("AMBER-B0001", 0.0), burn("AMBER-B0002", 0.0)], [0.0, 0.2, 0.8])
    fields = {name: getattr(group, name) for name in group.__struct_fields__}
    assert not is_of_burns(Group(**fields | {"members": ("BRAVO-0001", "BRAVO-0002")}))
