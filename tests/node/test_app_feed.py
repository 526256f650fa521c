"""The feed for alert apps tells an exercise's zones as drills, on this machine, and can tell nothing else."""

from __future__ import annotations

import http.client
import inspect
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_alerts import NOW, Raid, S, config, key
from msgspec.structs import replace

from jointwatch.node.config import NodeConfig
from jointwatch.node.dispatch import render_cap, render_signed
from jointwatch.node.sinks.app_feed import HISTORY_PATH, LIVE_PATH, MOST_KEPT, AppFeed
from jointwatch.node.sinks.files import Files
from jointwatch.node.sinks.permit import permit_live
from jointwatch.node.sinks.sink import ForExercise, ForLive
from jointwatch.node.sinks.sinks_file import load_exercise_sinks, load_sinks
from jointwatch.records import Alert, BadInput
from jointwatch.warning.zone_files import load_areas

DATA = Path(os.environ["JOINTWATCH_DATA"]) if "JOINTWATCH_DATA" in os.environ else None
CONFIG = config()
NAMES = {"Z1": "כפר צפון", "Z2": "הטחנה"}
PLACES = {("Amber", key): name for key, name in NAMES.items()}
PARTNERS = {"amber": "Amber"}
DRILL_CATEGORIES = {"101", "102"}, {15, 17}
MARK = "תרגיל: "


class Heard:
    """A feed, its clock, and what it was told."""

    def __init__(self, folder: Path | None = None) -> None:
        self.now, self.folder = NOW, folder
        self.begin()

    def begin(self) -> None:
        """In a process of its own."""
        self.feed = AppFeed("apps", PLACES, PARTNERS, folder=self.folder, clock=lambda: self.now)
        self.sink = ForExercise(self.feed)

    def again(self) -> None:
        self.feed.close()
        self.begin()

    def told(
        self, raid: Raid, action: str, *zones: str, given: NodeConfig = CONFIG, after_s: float = 0.0
    ) -> str:
        alert = raid.says(action, *zones, after_s=after_s)
        data = render_cap(given)(alert, raid.sent[:-1])
        answer = self.sink.deliver(alert.identifier, data)
        assert answer.came == "delivered"
        return answer.detail

    def live(self) -> Any:
        """What apps see now, held against what a drill is."""
        page = self.feed.page(LIVE_PATH)
        assert page is not None
        if not page.data.strip():
            return None
        shown = json.loads(page.data)
        assert shown["cat"] in DRILL_CATEGORIES[0] and shown["title"].startswith(MARK)
        assert shown["desc"].startswith(MARK)
        return shown

    def history(self) -> list[Any]:
        page = self.feed.page(HISTORY_PATH)
        assert page is not None
        entries: list[Any] = json.loads(page.data)
        for entry in entries:
            assert entry["category"] in DRILL_CATEGORIES[1] and entry["title"].startswith(MARK)
        return entries


@pytest.fixture
def heard() -> Iterator[Heard]:
    one = Heard()
    yield one
    one.feed.close()


def test_zones_told_to_take_shelter_are_shown_by_name_as_a_missile_drill_for_ten_seconds(
    heard: Heard,
) -> None:
    assert heard.live() is None and heard.history() == []
    heard.told(Raid(), "alert", "Z1", "Z2", "Z3")
    shown = heard.live()
    assert (shown["cat"], sorted(shown["data"])) == ("101", sorted(["כפר צפון", "הטחנה", "Z3"]))
    heard.now += 10 * S
    assert heard.live() is None
    assert {(e["data"], e["category"]) for e in heard.history()} == {(z, 15) for z in shown["data"]}
    heard.now += 86_401 * S
    assert heard.history() == []


def test_an_early_notice_and_an_end_are_general_drills_that_say_so(heard: Heard) -> None:
    early = Raid(tier="early")
    heard.told(early, "alert", "Z1", "Z2")
    assert heard.live()["cat"] == "102" and "ייתכן" in heard.live()["title"]
    heard.now += 20 * S
    heard.told(early, "all_clear", "Z1", "Z2")
    assert heard.live()["cat"] == "102" and "הסתיימה" in heard.live()["title"]
    heard.now += 20 * S
    shelter = Raid(2)
    heard.told(shelter, "alert", "Z1")
    heard.now += 20 * S
    heard.told(shelter, "cancel", "Z1")
    assert heard.live()["cat"] == "102" and "ניתן לצאת" in heard.live()["title"]
    titles = [(e["data"], e["category"]) for e in heard.history()]
    assert titles[0] == (NAMES["Z1"], 17) and titles[1] == (NAMES["Z1"], 15)


def test_a_zone_is_told_again_only_when_its_state_changes(heard: Heard) -> None:
    raid = Raid()
    heard.told(raid, "alert", "Z1")
    heard.now += 20 * S
    assert heard.told(raid, "update", "Z1") == "0 zones told"
    assert heard.live() is None
    assert heard.told(raid, "update", "Z2") == "1 zones told"
    assert heard.live()["data"] == [NAMES["Z2"]]
    heard.now += 20 * S
    # one of two is withdrawn: the other still stands
    heard.told(raid, "cancel", "Z2")
    assert heard.live()["data"] == [NAMES["Z2"]]


def test_what_one_series_ends_and_another_keeps_up_is_not_told_as_over(heard: Heard) -> None:
    early, shelter, other = Raid(1, "early"), Raid(2), Raid(3)
    heard.told(early, "alert", "Z1")
    heard.told(shelter, "alert", "Z1")
    heard.told(other, "alert", "Z1")
    heard.now += 20 * S
    heard.told(early, "all_clear", "Z1")
    heard.told(shelter, "all_clear", "Z1")
    assert heard.live() is None
    heard.told(other, "all_clear", "Z1")
    assert heard.live()["data"] == [NAMES["Z1"]] and heard.live()["cat"] == "102"


@pytest.mark.parametrize("clock", ["the senders'", "the machine's"])
def test_a_new_raid_is_told_where_the_end_of_an_old_one_never_came(heard: Heard, clock: str) -> None:
    """Its series stands until its message expires: 120 s to the impact and 15 min more."""
    heard.told(Raid(), "alert", "Z1")
    late_s = 1021.0
    heard.now += round(late_s * S) if clock == "the machine's" else 20 * S
    after_s = late_s if clock == "the senders'" else 20.0
    assert heard.told(Raid(2), "alert", "Z1", after_s=after_s) == "1 zones told"
    assert heard.live()["cat"] == "101" and heard.live()["data"] == [NAMES["Z1"]]


def test_what_is_said_again_holds_as_long_as_it_was_said_last(heard: Heard) -> None:
    raid = Raid()
    heard.told(raid, "alert", "Z1")
    for later_s in (900, 1800):
        heard.now = NOW + later_s * S
        assert heard.told(raid, "update", "Z1", after_s=later_s) == "0 zones told"
    heard.now = NOW + 1820 * S
    assert heard.told(raid, "all_clear", "Z1", after_s=1820) == "1 zones told"


def test_made_anew_it_stands_where_it_stood(tmp_path: Path) -> None:
    heard, raid, other = Heard(tmp_path / "apps"), Raid(), Raid(2, "early")
    heard.told(raid, "alert", "Z1", "Z2")
    heard.now += 5 * S
    first = heard.live(), heard.history()
    heard.again()
    assert (heard.live(), heard.history()) == first and heard.live()["cat"] == "101"
    heard.now += 20 * S
    data = render_cap(CONFIG)(raid.sent[0], [])
    assert heard.sink.deliver(raid.sent[0].identifier, data).detail == "it was told already"
    assert heard.told(raid, "update", "Z1", "Z3", after_s=25) == "1 zones told"
    heard.told(other, "alert", "Z1", after_s=25)
    heard.again()
    heard.now += 20 * S
    assert heard.told(raid, "all_clear", "Z1", "Z2", "Z3", after_s=45) == "3 zones told"
    # the early notice for the first still stands
    latest = {entry["data"]: entry["title"] for entry in heard.history()[:3]}
    assert {name: "ניתן לצאת" in title for name, title in latest.items()} == {
        NAMES["Z1"]: False, NAMES["Z2"]: True, "Z3": True,
    }  # fmt: skip
    heard.feed.close()


@pytest.mark.parametrize("tier", ["shelter", "early"])
def test_an_end_is_told_also_by_one_that_never_heard_the_beginning(heard: Heard, tier: str) -> None:
    raid = Raid(tier=tier)
    raid.says("alert", "Z1")
    assert heard.told(raid, "all_clear", "Z1") == "1 zones told"
    assert ("הסתיימה ההתרעה המקדימה" in heard.live()["title"]) is (tier == "early")


def test_what_another_journal_of_the_sender_told_hides_nothing(tmp_path: Path) -> None:
    """An exercise was left in the midst of a raid, and is played anew with another seed."""
    heard = Heard(tmp_path)
    for epoch in ("20260528.0a1b2c3d", "20260528.11223344"):
        alert = replace(Raid().says("alert"), identifier=f"EX-amber-{epoch}-01-0001")
        assert heard.sink.deliver(alert.identifier, render_cap(CONFIG)(alert, [])).detail == "1 zones told"
        heard.again()
    heard.feed.close()


def test_another_message_of_a_name_that_was_told_is_not_taken_for_it(tmp_path: Path) -> None:
    """As of the same exercise, played by a program that decides otherwise."""
    heard = Heard(tmp_path)
    for zone, came in (("Z1", "delivered"), ("Z2", "refused"), ("Z1", "delivered")):
        alert = Raid().says("alert", zone)
        answer = heard.sink.deliver(alert.identifier, render_cap(CONFIG)(alert, []))
        assert answer.came == came
        heard.again()
    heard.feed.close()


def test_its_folder_holds_the_last_day_and_nothing_live(tmp_path: Path) -> None:
    heard, late = Heard(tmp_path), 86_500.0
    heard.told(Raid(), "alert", "Z1")
    heard.now += round(late * S)
    heard.told(Raid(2), "alert", "Z1", after_s=late)
    assert [path.name for path in tmp_path.glob("*.xml")] == ["EX-amber-02-0001.xml"]
    heard.feed.close()
    (tmp_path / "EX-stray.xml").write_bytes(b"<alert/>")
    with pytest.raises(BadInput, match=r"sink apps: .*EX-stray.xml"):
        heard.begin()
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "amber-01-0001.xml").write_bytes(b"")
    assert Files("f", tmp_path / "live", exercise=False).claim() is None  # type: ignore[func-returns-value]
    with pytest.raises(BadInput, match="for live messages"):
        load_sinks(sinks_file(tmp_path, "port = 0", 'folder = "live"'), CONFIG)


def test_the_most_urgent_is_shown_and_the_rest_is_in_the_history(heard: Heard) -> None:
    heard.told(Raid(1, "early"), "alert", "Z1", "Z2")
    heard.told(Raid(2), "alert", "Z1")
    heard.told(Raid(3), "alert", "Z3")
    assert heard.live()["cat"] == "101" and heard.live()["data"] == [NAMES["Z1"], "Z3"]
    assert {(e["data"], e["category"]) for e in heard.history()} == {
        (NAMES["Z1"], 17), (NAMES["Z2"], 17), (NAMES["Z1"], 15), ("Z3", 15),
    }  # fmt: skip


def test_the_same_message_again_is_no_second_one(heard: Heard) -> None:
    alert = Raid().says("alert")
    data = render_signed(CONFIG, key(True))(alert, [])
    assert [heard.sink.deliver(alert.identifier, data).came for _ in range(2)] == ["delivered"] * 2
    assert len(heard.history()) == 1


def test_times_are_those_of_israel_summer_and_winter(heard: Heard) -> None:
    for time_ns, local in (
        (1_767_650_400 * S, "2026-01-06 00:00:00"),
        (1_782_856_800 * S, "2026-07-01 01:00:00"),
    ):
        heard.now = time_ns
        heard.told(Raid(time_ns % 97), "alert", "Z4" if local > "2026-02" else "Z3")
        assert heard.history()[0]["alertDate"] == local


def test_zones_of_the_shipped_areas_appear_by_their_hebrew_names() -> None:
    areas = tuple(load_areas("Amber"))[:3]
    given = config(zones=areas)
    heard = Heard()
    heard.feed._names.clear()
    heard.told(Raid(), "alert", *(z.key for z in areas), given=given)
    assert sorted(heard.live()["data"]) == sorted(z.name_in("he-IL") for z in areas)
    assert all(any("א" <= c <= "ת" for c in name) for name in heard.live()["data"])
    heard.feed.close()


def test_over_http_with_the_query_that_apps_add(heard: Heard) -> None:
    heard.told(Raid(), "alert")
    assert heard.feed.address[0] == "127.0.0.1"
    for path in (LIVE_PATH, HISTORY_PATH):
        connection = http.client.HTTPConnection(*heard.feed.address, timeout=10)
        connection.request("GET", "/" + "/".join(path) + "?1767650400")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json")
        assert NAMES["Z1"] in answer.read().decode()
        connection.close()
    assert heard.feed.page(("warningMessages", "alert")) is None


@pytest.mark.skipif(DATA is None, reason="JOINTWATCH_DATA (samples of the alert interface) is not set")
def test_both_documents_have_the_keys_and_types_of_recorded_ones(heard: Heard) -> None:
    assert DATA is not None
    samples = DATA / "hfc-alert-api-samples"
    live = json.loads((samples / "single_alert_real_time.json").read_bytes())
    (entry,) = json.loads((samples / "single_alert_history.json").read_bytes())
    heard.told(Raid(), "alert", "Z1")
    for ours, theirs in ((heard.live(), live), (heard.history()[0], entry)):
        assert {k: type(v) for k, v in ours.items()} == {k: type(v) for k, v in theirs.items()}
        assert len(ours.get("alertDate", "")) == len(theirs.get("alertDate", ""))


# ------------------------------------------------------------------ nothing real


def test_a_live_node_cannot_have_it() -> None:
    live = config(exercise=False)
    feed = AppFeed("apps", {}, {})
    with pytest.raises(BadInput, match="exercise's transport"):
        ForLive(permit_live(live), feed)
    alert = Raid(exercise=False).says("alert")
    assert feed.deliver(alert.identifier, render_cap(live)(alert, [])).came == "refused"
    assert feed.deliver("EX-x", b"<alert/>").came == "refused"
    assert feed.page(HISTORY_PATH).data == b"[]"  # type: ignore[union-attr]
    feed.close()


def test_nothing_that_is_set_changes_the_category() -> None:
    parameters = set(inspect.signature(AppFeed).parameters)
    assert parameters == {"name", "names", "partners", "host", "port", "folder", "clock"}
    for name in ("category", "cat", "drill", "exercise", "real"):
        with pytest.raises(TypeError):
            AppFeed("apps", {}, {}, **{name: 1})


def sinks_file(tmp_path: Path, *lines: str, whom: str = "exercise") -> Path:
    path = tmp_path / "sinks.toml"
    head = ["[[sink]]", 'kind = "app_feed"', 'name = "apps"', f'for = "{whom}"']
    path.write_text("\n".join([*head, *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "line",
    ["category = 1", 'category = "missiles"', "cat = 1", "drill = false", 'title = "x"', "real = true"],
)
def test_a_file_that_asks_for_a_real_category_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match="an unknown key"):
        load_sinks(sinks_file(tmp_path, "port = 0", line), CONFIG)


@pytest.mark.parametrize(
    ("lines", "whom", "live", "said"),
    [
        (["port = 0"], "live", True, "it tells of drills only"),
        (["port = 0"], "live", False, "this node is an exercise"),
        (["port = 0"], "exercise", True, "takes no sinks of an exercise"),
        ([], "exercise", False, "port: found nothing"),
        (["port = 0", 'host = "0.0.0.0"'], "exercise", False, "stay on this machine"),
        (["port = 0", 'host = "192.168.1.2"'], "exercise", False, "stay on this machine"),
        (["port = 0", 'host = "::"'], "exercise", False, "stay on this machine"),
        (["port = 0", "most_held = 9"], "exercise", False, "no such key of kind app_feed"),
    ],
)
def test_a_file_opens_it_for_exercises_on_this_machine_only(
    tmp_path: Path, lines: list[str], whom: str, live: bool, said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        load_sinks(sinks_file(tmp_path, *lines, whom=whom), config(exercise=not live))
    assert said in str(refused.value)


def test_the_host_is_this_machine_whoever_makes_it() -> None:
    for host in ("0.0.0.0", "::", "example.org", "10.0.0.1", ""):
        with pytest.raises(BadInput, match="host"):
            AppFeed("apps", {}, {}, host=host)


def test_nodes_of_an_exercise_share_one_by_the_names_of_all_their_zones(tmp_path: Path) -> None:
    zone = replace(CONFIG.zones[0], key="south", partner="Blue", names=(("he", "דרום"),))
    configs = {"Amber": CONFIG, "Blue": config(partner="Blue", name="blue", zones=(zone,))}
    sinks = load_exercise_sinks(sinks_file(tmp_path, "port = 0"), configs, (NOW, NOW))
    (one,), (other,) = sinks.sinks["Amber"], sinks.sinks["Blue"]
    feed = one._transport
    assert isinstance(feed, AppFeed) and other._transport is feed
    alert = Raid().says("alert", "south")
    alert = replace(alert, partner="Blue", header=replace(alert.header, source="blue"))
    assert other.deliver(alert.identifier, render_cap(configs["Blue"])(alert, [])).came == "delivered"
    assert json.loads(feed.page(HISTORY_PATH).data)[0]["data"] == "דרום"  # type: ignore[union-attr]
    sinks.close()


def test_zones_of_two_partners_by_one_key_are_two(tmp_path: Path) -> None:
    """Each has its own name and state, also where one node warns both."""
    zones = [
        replace(CONFIG.zones[0], partner=p, names=(("he", n),)) for p, n in (("Amber", "א"), ("Blue", "ב"))
    ]
    configs = {
        "Amber": config(zones=tuple(zones)),
        "Blue": config(partner="Blue", name="blue", zones=(zones[1],)),
    }
    sinks = load_exercise_sinks(sinks_file(tmp_path, "port = 0"), configs, (NOW, NOW))
    feed = sinks.sinks["Amber"][0]._transport
    assert isinstance(feed, AppFeed)
    for n, (partner, sender) in enumerate((("Amber", "amber"), ("Blue", "amber-Blue"), ("Blue", "blue"))):
        raid = Raid(n)
        alert = raid.says("alert")
        alert = replace(alert, partner=partner, header=replace(alert.header, source=sender))
        data = render_cap(configs["Amber"])(alert, [])
        told = sinks.sinks["Amber"][0].deliver(alert.identifier, data).detail
        assert told == ("0 zones told" if sender == "blue" else "1 zones told")
    page = feed.page(HISTORY_PATH)
    assert page is not None and [entry["data"] for entry in json.loads(page.data)] == ["ב", "א"]
    sinks.close()


Move = tuple[int, str, tuple[str, ...], int]
MOVES = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["alert", "update", "cancel", "all_clear"]),
        st.lists(st.sampled_from(["Z1", "Z2", "Z3", "Z4"]), min_size=1, max_size=4, unique=True).map(tuple),
        st.integers(0, 30),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_whatever_is_said_all_is_a_drill_and_what_stands_was_told(moves: list[Move]) -> None:
    heard = Heard()
    raids = {n: Raid(n, "early" if n % 2 else "shelter") for n in range(1, 5)}
    standing: dict[int, set[str]] = {n: set() for n in raids}
    try:
        for n, action, zones, wait_s in moves:
            raid = raids[n]
            if action != "alert" and not standing[n]:
                continue
            named = zones if action in ("alert", "update") else tuple(z for z in zones if z in standing[n])
            if not named:
                continue
            heard.now += wait_s * S
            heard.told(raid, action if raid.sent else "alert", *named)
            change = standing[n].update if action in ("alert", "update") else standing[n].difference_update
            change(named)
            heard.live()
            latest: dict[str, int] = {}
            for entry in heard.history():
                latest.setdefault(entry["data"], entry["category"])
            for zone in ("Z1", "Z2", "Z3", "Z4"):
                in_shelter = any(zone in standing[m] for m in (2, 4))
                assert (latest.get(NAMES.get(zone, zone)) == 15) is in_shelter
    finally:
        heard.feed.close()


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300), at=st.integers(0, 2000), byte=st.integers(0, 255))
def test_no_bytes_make_it_fail(data: bytes, at: int, byte: int) -> None:
    answer = FUZZED.deliver(GOOD.identifier, data)
    assert answer.came == "refused"
    changed = bytearray(GOOD_BYTES)
    changed[at % len(changed)] = byte
    assert FUZZED.deliver(GOOD.identifier, bytes(changed)).came in ("delivered", "refused")
    for entry in json.loads(FUZZED.page(HISTORY_PATH).data):  # type: ignore[union-attr]
        assert entry["category"] in DRILL_CATEGORIES[1]


FUZZED = AppFeed("fuzzed", {}, {})
GOOD: Alert = Raid(9).says("alert")
GOOD_BYTES = render_cap(CONFIG)(GOOD, [])


def test_it_forgets_the_oldest(heard: Heard) -> None:
    zones = tuple(replace(CONFIG.zones[0], key=f"W{n}") for n in range(2000))
    many = config(zones=zones)
    for n in range(4):
        heard.now += 20 * S
        raid = Raid(n, "early")
        heard.told(raid, "alert", *(z.key for z in zones), given=many)
        heard.told(raid, "cancel", *(z.key for z in zones), given=many)
    assert len(heard.history()) <= MOST_KEPT
