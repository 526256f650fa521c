"""A node that runs for months holds no more than what is of late: all else is forgotten, and nothing hangs on
whether it was."""

from __future__ import annotations

import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from made_alerts import outcome
from msgspec.structs import replace
from reported_tracks import moved, spread
from test_burns_of_a_node import EYES, announced, scans, stepped
from test_infrared_of_a_node import scan_of
from test_node import MISSILE, at_s, no_looks, node, theirs
from test_people import CONFIG, SHELTER, say

from jointwatch.joint.identity import HORIZON_S
from jointwatch.joint.joint_track import JointTrack
from jointwatch.joint.shared_alerts import KEPT_NS as ALERTS_KEPT_NS
from jointwatch.launch.burns import KEPT_NS, Burn
from jointwatch.node.journal import Journal
from jointwatch.node.lately import Lately
from jointwatch.node.node import Node
from jointwatch.node.snapshot import open_snapshot, take_snapshot
from jointwatch.records import Advisory, Alert, Header, TrackReport, encode
from jointwatch.warning.advisories import Advisories

S = 1_000_000_000


def sizes(of: object) -> dict[str, int]:
    """How much each of an object's containers holds."""
    return {
        name: len(held) for name, held in vars(of).items() if isinstance(held, dict | set | list | Lately)
    }


# ---------------------------------------------------------------------- what was met of late


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=40), st.integers(0, 60))
def test_a_key_is_remembered_until_it_was_last_met_too_long_ago(
    meetings: list[tuple[int, int]], kept: int
) -> None:
    lately, last, now = Lately[int](kept), dict[int, int](), 0
    for key, later in meetings:
        now += later
        gone = lately.forget(now)
        assert set(gone) == {k for k, t in last.items() if now - t > kept}
        last = {k: t for k, t in last.items() if k not in gone}
        lately.meet(key, now)
        last[key] = now
        assert set(lately) == set(last) and len(lately) == len(last) and key in lately
    assert list(pickle.loads(pickle.dumps(lately, 5))) == list(lately)


# ---------------------------------------------------------------------- burns


class MadeBurns:
    """Burns in place of those that scans make: one after the other, each over at once and remembered as long
    as any."""

    def __init__(self, like: Burn) -> None:
        self._like, self._burns, self.posteriors = like, list[Burn](), (like.posterior, None)

    def take(self, scan: Any) -> list[Burn]:
        now, n = scan.header.measured_ns, scan.header.sequence
        posterior = self._like.posterior
        assert posterior is not None
        if n % 3 == 1:
            posterior = replace(posterior, misfit=9.0)
        log_odds = -1.0 if n % 3 == 2 else 20.0
        burn = replace(
            self._like,
            number=f"AMBER-B{n:04d}",
            state="over",
            posterior=posterior,
            log_odds=log_odds,
            last_ns=now,
        )
        self._burns = [b for b in (*self._burns, burn) if now - b.last_ns < KEPT_NS]
        return [burn]

    def all(self) -> list[Burn]:
        return self._burns

    def glances(self) -> tuple[()]:
        return ()


def test_what_belongs_to_burns_goes_when_they_are_remembered_no_more() -> None:
    mine = node(satellites=EYES, announced=(announced(2.0),))
    stepped(mine, scans())
    burning = mine._burning
    (like,) = burning._burns.all()
    burning._burns = MadeBurns(like)
    held = []
    for n in range(1, 200):
        seconds = 200.0 + 120.0 * n
        scan = scan_of("Amber", seconds, 0)
        burning.take(replace(scan, header=replace(scan.header, sequence=n)), at_s(seconds))
        burning.hand_over(f"AMBER-B{n:04d}", f"A-{n}", at_s(seconds))
        held.append(sizes(burning))
    assert held[60] == held[-1] or held[60] == held[-4], "as many as there are in an hour"
    assert max(held[-1].values()) <= KEPT_NS // (120 * S)
    assert {name for name, size in held[-1].items() if size} >= {
        "_told", "_final", "_odd", "_doubted", "_marked", "_sensors", "_taken_over",
    }  # fmt: skip


# ---------------------------------------------------------------------- objects


def flying(n: int, seconds: float) -> JointTrack:
    """A short-lived object under a number of its own."""
    state, known = moved(MISSILE, seconds % 60.0), spread(150.0, 4.0, 0.2)
    return JointTrack(
        number=f"B-{n}", aliases=(f"B-{n}",), time_ns=at_s(seconds), state=state, covariance=known,
        phases=(0.0, 1.0, 0.0), existence=1.0, hits=6, first_ns=at_s(seconds - 20.0), seen_ns=at_s(seconds),
        thrust_ms2=0.0, parent="", originators=("Blue",),
    )  # fmt: skip


def test_what_was_told_of_objects_goes_once_pictures_go_back_to_them_no_more() -> None:
    mine = node(announced=(announced(2.0),))
    decisions = mine._decisions
    decisions.announce((replace(announced(1.0), name="theirs"),))
    held = []
    for n in range(1, 70):
        seconds = 60.0 * n
        decisions.decide([flying(n, seconds)], at_s(seconds), lambda _: frozenset({"a", "b"}), no_looks)
        held.append(sizes(decisions) | sizes(decisions._announced) | sizes(decisions._launches))
    most = HORIZON_S / 60.0 + 1.0
    assert held[-1] == held[20] and max(held[-1].values()) <= most
    assert held[-1]["_launched"] == held[-1]["_told"] == held[-1]["_apart"] == most


def test_what_is_in_the_picture_is_not_forgotten_however_long_nothing_is_new_of_it() -> None:
    mine = node()
    stays = flying(1, 60.0)
    for n in range(2, 60):
        mine._decisions.decide([stays], at_s(60.0 * n), lambda _: frozenset({"a", "b"}), no_looks)
    assert mine._decisions._launches._launched == {"B-1": 5}


# ---------------------------------------------------------------------- partners


def alert(n: int, now_ns: int) -> Alert:
    return Alert(
        header=Header(originator="Blue", source="blue", sequence=n, measured_ns=now_ns, handling="joint"),
        identifier=f"EX-blue-{n:02d}-0001", action="alert", tier="shelter", partner="Blue", zones=("quay",),
        sent_ns=now_ns, impact_ns=now_ns, evidence=(),
    )  # fmt: skip


def test_partners_tracks_and_alerts_are_remembered_as_long_as_they_can_matter() -> None:
    partners = node()._partners
    for n in range(1, 120):
        told = report_of(n, 30.0 * n)
        assert len(partners.told_of(told, "Blue", at_s(30.0 * n))) == 1
        assert partners.told_of(told, "Blue", at_s(30.0 * n)) == [], "it is new once"
    (tracks,) = partners.tracks().values()
    assert len(tracks) == HORIZON_S / 30.0 + 1
    first = alert(1, at_s(0.0))
    day = ALERTS_KEPT_NS
    assert [o.kind for o in partners.alerted(first, "Blue", 0)] == ["alert_confirmed"]  # type: ignore[union-attr]
    assert [o.kind for o in partners.alerted(first, "Blue", day)] == ["rejected"]  # type: ignore[union-attr]
    for n in range(2, 500):
        partners.alerted(alert(n, 0), "Blue", n * day // 100)
    assert len(partners._alerts) == 101


def report_of(n: int, seconds: float) -> TrackReport:
    """A partner tells of a track that is new at a time."""
    one = theirs(0.0)
    header = replace(one.header, sequence=n, measured_ns=at_s(seconds))
    track = replace(one, number=f"BLUE-{n:04d}", header=header, first_ns=at_s(seconds))
    return TrackReport(header=header, rule="Blue/tracks", tracks=(track,))


def both(one: Node, n: int, seconds: float) -> list[bytes]:
    """What a node makes of a partner's track and of an object of its picture, both new."""
    now = at_s(seconds)
    out = one._partners.told_of(report_of(n, seconds), "Blue", now)
    out += one._decisions.decide([flying(n, seconds)], now, lambda _: frozenset({"a", "b"}), no_looks)
    return [encode(o) for o in out]


def test_a_snapshot_goes_on_as_if_nothing_had_been_forgotten_since() -> None:
    mine = node(announced=(announced(2.0),))
    for n in range(1, 20):
        both(mine, n, 30.0 * n)
    again = open_snapshot(take_snapshot(mine), mine.config, Journal(None))
    for n in range(20, 50):
        assert both(mine, n, 30.0 * n) == both(again, n, 30.0 * n)
    assert sizes(mine._decisions) == sizes(again._decisions)
    assert mine._partners.tracks() == again._partners.tracks()
    assert "BLUE-0001" not in mine._partners.tracks()["Blue"]
    assert "B-1" not in mine._decisions._launches._launched


# ---------------------------------------------------------------------- what people said


def test_an_advisory_whose_period_is_over_is_forgotten_and_its_number_is_not_given_again() -> None:
    there = Advisories()
    for n in range(1, 200):
        header = Header(originator="Amber", source="amber", sequence=n, measured_ns=n * S)
        advisory = Advisory(
            header=header, identifier=f"EX-amber-advisory-{there.count + 1:02d}-0001", partner="Amber",
            places=("Harbour",), valid_from_ns=n * S, valid_to_ns=(n + 10) * S, headline="h", text="t",
            drafted_by="Ann", reviewed_by="Ben",
        )  # fmt: skip
        there = there.after(advisory)
        assert there.count == n and len(there.latest) == min(n, 10)
        assert len(there.standing(n * S)) == min(n, 10)
    assert there.standing(300 * S) == ()


def test_a_receipt_after_a_release_brings_no_draft_back() -> None:
    people = Node(CONFIG, Journal(None))
    say(people, SHELTER)
    now = people.standing()[0].recent[-1] + S
    people.step(outcome("s", "EX-amber-01-0001", "delivered", now), now)
    people.said([], people.standing(), people.advisories())
    assert people.drafts() == ()
