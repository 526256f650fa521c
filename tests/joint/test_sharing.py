"""Sharing rules as data: which rule decides, what is refused, and what a set of rules says in words."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointwatch.joint.sharing import Item, SharingRule, decide, load_rules, title
from jointwatch.joint.sharing_words import describe
from jointwatch.records import KINDS, PHASES, BadInput
from jointwatch.records.documents import convert

PARTNERS = ("Amber", "Blue", "Green")
TERRITORIES = ("Ochre", "Slate")
CLASSES = ("short_range", "medium_range")
HERE = {"latitude_deg": 33.0, "longitude_deg": 35.0, "radius_km": 300.0}
WITHIN = HERE | {"radius_km": 100.0}


def load(*tables: dict[str, Any]) -> tuple[SharingRule, ...]:
    return load_rules(list(tables), "site.toml", "Amber", PARTNERS, TERRITORIES, CLASSES)


def rule(kind: str = "tracks", release: str = "as is", **values: Any) -> dict[str, Any]:
    return {"kind": kind, "release": release, **values}


def coarse(kind: str = "tracks", **values: Any) -> dict[str, Any]:
    return rule(kind, "coarsened", **values)


def item(*labels: str, place: tuple[float, float] | None = None, territory: str = "") -> Item:
    latitude, longitude = (None, None) if place is None else map(math.radians, place)
    return Item("tracks", frozenset(labels), latitude, longitude, territory)


def decided(rules: tuple[SharingRule, ...], to: str, what: Item) -> str:
    return title(decide(rules, to, what))


# ------------------------------------------------------------------ deciding


def test_the_first_rule_that_fits_decides_and_what_none_fits_is_withheld() -> None:
    rules = load(
        rule(release="withheld", classes=["cruise"], name="no aircraft"),
        coarse(classes=["short_range"], round_m=1000, to=["Blue"]),
        rule(to=["Blue"], classes=["ballistic"]),
    )
    assert decided(rules, "Blue", item("cruise", "short_range")) == "no aircraft"
    assert decided(rules, "Blue", item("ballistic", "short_range")) == "Amber/2"
    assert decided(rules, "Blue", item("ballistic")) == "Amber/3"
    assert decided(rules, "Blue", item("boost")) == "no rule"
    assert decided(rules, "Green", item("ballistic", "short_range")) == "no rule"
    assert decide(rules, "Blue", Item("plots")) is None
    assert decided((), "Blue", item("ballistic")) == "no rule"


def test_an_area_holds_to_its_edge_and_asks_for_a_place() -> None:
    rules = load(rule(area=HERE))
    # 300 km are 2.698 degrees of a great circle
    assert decided(rules, "Blue", item("boost", place=(35.69, 35.0))) == "Amber/1"
    assert decided(rules, "Blue", item("boost", place=(35.71, 35.0))) == "no rule"
    assert decided(rules, "Blue", item("boost", place=(33.0, 38.21))) == "Amber/1"
    assert decided(rules, "Blue", item("boost", place=(33.0, 38.23))) == "no rule"
    assert decided(rules, "Blue", item("boost")) == "no rule"


def test_a_territory_is_asked_by_name_and_only_of_what_has_a_place() -> None:
    rules = load(rule(release="withheld", territories=["Ochre"]), rule())
    assert decided(rules, "Blue", item("boost", place=(30.0, 45.0), territory="Ochre")) == "Amber/1"
    assert decided(rules, "Blue", item("boost", place=(30.0, 45.0), territory="sea")) == "Amber/2"
    assert decided(rules, "Blue", item("boost")) == "Amber/2"


def test_what_only_changes_names_or_waits_is_exact_and_what_rounds_is_not() -> None:
    rules = load(
        rule("tracks", to=["Blue"], classes=["boost"]),
        coarse(pseudonyms=True, key="k", to=["Blue"], classes=["ballistic"]),
        coarse(delay_s=10, to=["Blue"]),
        coarse(round_m=10, to=["Green"], classes=["boost"]),
        coarse(round_ms=1, to=["Green"], classes=["ballistic"]),
        rule(release="withheld", to=["Green"]),
    )
    assert [r.exact for r in rules] == [True, True, True, False, False, False]
    assert [r.releases for r in rules] == [True] * 5 + [False]
    assert rules[2].delay_ns == 10_000_000_000


def test_rules_come_back_from_a_journal_as_they_were() -> None:
    rules = load(
        rule(), coarse("impacts", round_m=100, area=HERE), coarse("health", pseudonyms=True, key="k")
    )
    stored = msgspec.msgpack.encode(rules)
    assert msgspec.msgpack.decode(stored, type=tuple[SharingRule, ...]) == rules


# ------------------------------------------------------------------ refusing


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"release": "as is"}, r"sharing\.Amber\[0\]\.kind: found nothing, wanted this key"),
        ({"kind": "tracks"}, r"sharing\.Amber\[0\]\.release: found nothing, wanted this key"),
        (rule("track"), r"sharing\.Amber\[0\]\.kind: found track, wanted one of plots, tracks, launch_areas"),
        (rule(release="some"), r"\.release: found some, wanted one of as is, coarsened, withheld"),
        (rule(round_km=1), r"sharing\.Amber\[0\]\.round_km: found an unknown key"),
        (rule(to=["Red"]), r"sharing\.Amber\[0\]\.to\[0\]: found Red, wanted one of Blue, Green"),
        (rule(to=["Blue", "Amber"]), r"\.to\[1\]: found Amber, wanted one of Blue, Green"),
        (rule(to=[]), r"\.to: found \[\], wanted a list of length >= 1"),
        (rule(classes=["glide"]), r"\.classes\[0\]: found glide, wanted one of boost, ballistic, cruise, sh"),
        (rule(territories=["Jade"]), r"\.territories\[0\]: found Jade, wanted one of Ochre, Slate"),
        (rule("health", classes=["boost"]), r"\.classes: found boost, wanted no classes"),
        (rule("plots", classes=["boost"]), r"\.classes: found boost, wanted no classes"),
        (rule("health", area=HERE), r"\.area: found a place, wanted none: health has no place"),
        (rule(area=HERE, territories=["Ochre"]), r"\.territories: found territories beside an area"),
        (rule(area=HERE | {"radius_km": -1}), r"\.area\.radius_km: found -1, wanted a number > 0"),
        (rule(area=HERE | {"radius_m": 1}), r"\.radius_m: found an unknown key"),
        (coarse(round_m=-1.0), r"\.round_m: found -1\.0, wanted a number >= 0"),
        (coarse(round_m=math.nan), r"\.round_m: found nan, wanted a finite number"),
        (
            coarse(),
            r"\.release: found coarsened by nothing, wanted one or more of round_m, round_ms, delay_s",
        ),
        (rule(delay_s=5), r'\.delay_s: found 5\.0, wanted release = "coarsened", for this is as is'),
        (rule(release="withheld", round_m=5), r"\.round_m: found 5\.0, wanted .* for this is withheld"),
        (rule(pseudonyms=True, key="k"), r"\.pseudonyms: found true, wanted release = \"coarsened\""),
        (coarse(pseudonyms=True), r"\.key: found nothing, wanted a key"),
        (coarse(delay_s=1, key="k"), r"\.key: found a key for nothing, wanted no key"),
        (
            coarse("plots", round_m=10),
            r"\.round_m: found 10\.0, wanted none: plots can be coarsened by delay_s",
        ),
        (coarse("impacts", round_ms=10), r"\.round_ms: found 10\.0, wanted none: impacts"),
        (coarse("alerts", round_m=10), r"\.round_m: found 10\.0, wanted none: alerts can .* by delay_s only"),
        (coarse("announced", pseudonyms=True, key="k"), r"\.pseudonyms: found true, wanted none: announced"),
        (coarse(pseudonyms="yes"), r"\.pseudonyms: found yes, wanted true or false"),
        (rule(name=""), r"\.name: found an empty text, wanted a text of length >= 1"),
    ],
)
def test_a_wrong_rule_names_its_file_and_key(table: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=r"site\.toml: .*" + words):
        load(table)


def test_the_place_of_a_wrong_rule_is_said_and_its_key_is_never_shown() -> None:
    with pytest.raises(BadInput, match=r"sharing\.Amber\[1\]\.round_m"):
        load(rule("plots"), coarse(round_m=-1))
    with pytest.raises(BadInput) as refused:
        load(coarse(delay_s=1, key="secret"))
    assert "secret" not in str(refused.value)
    with pytest.raises(BadInput, match=r"sharing\.Amber: found one table, wanted .*\[\[sharing\.Amber\]\]"):
        load_rules({"kind": "tracks"}, "site.toml", "Amber", PARTNERS, (), ())
    with pytest.raises(BadInput, match=r"sharing\.Amber\[0\]: found tracks, wanted a table"):
        load_rules(["tracks"], "site.toml", "Amber", PARTNERS, (), ())
    with pytest.raises(
        BadInput, match=r"sharing\.Amber\[1\]\.name: found falls, wanted a name that no earlier"
    ):
        load(rule("plots", name="falls"), rule("impacts", name="falls"))


@pytest.mark.parametrize(
    ("tables", "takers"),
    [
        ([rule(), rule(release="withheld")], "Amber/1 takes"),
        ([rule(), rule(release="withheld", to=["Blue"], classes=["cruise"], area=HERE)], "Amber/1 takes"),
        ([rule(area=HERE), rule(area=WITHIN)], "Amber/1 takes"),
        ([rule(territories=["Ochre", "Slate"]), rule(territories=["Slate"])], "Amber/1 takes"),
        ([rule(to=["Blue"]), rule(to=["Green"]), rule()], "Amber/1 and Amber/2 take"),
        ([rule(classes=[p]) for p in PHASES] + [rule(release="withheld")], "and Amber/3 take"),
        ([rule(classes=[p]) for p in PHASES] + [rule(classes=["short_range"])], "and Amber/3 take"),
        ([rule("impacts", classes=["boost"]), rule("impacts", classes=["boost"])], "Amber/1 takes"),
    ],
)
def test_a_rule_that_can_never_decide_is_refused(tables: list[dict[str, Any]], takers: str) -> None:
    with pytest.raises(BadInput) as refused:
        load(*tables)
    assert takers in str(refused.value) and f"sharing.Amber[{len(tables) - 1}]" in str(refused.value)


@pytest.mark.parametrize(
    "tables",
    [
        [rule(release="withheld", area=HERE), rule()],
        [rule(area=WITHIN), rule(area=HERE)],
        [rule(to=["Blue"]), rule()],
        [rule(classes=["short_range", "medium_range"]), rule()],
        [rule(classes=["boost", "cruise"]), rule(classes=["short_range"])],
        [rule("impacts", classes=["boost", "ballistic", "cruise"]), rule("impacts")],
        [rule(territories=["Ochre"]), rule(territories=["Ochre", "Slate"])],
        [rule(territories=["Ochre"]), rule(area=HERE)],
        [rule(), rule("plots")],
    ],
)
def test_a_rule_that_is_left_something_is_not(tables: list[dict[str, Any]]) -> None:
    assert len(load(*tables)) == len(tables)


@st.composite
def some_rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    tables = []
    for _ in range(draw(st.integers(1, 5))):
        table = rule(release=draw(st.sampled_from(["as is", "withheld"])))
        for key, words in (
            ("to", PARTNERS[1:]),
            ("classes", (*PHASES, *CLASSES)),
            ("territories", TERRITORIES),
        ):
            chosen = draw(st.lists(st.sampled_from(words), max_size=3, unique=True))
            if chosen:
                table[key] = chosen
        tables.append(table)
    return tables


@given(tables=some_rules())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_set_of_rules_is_refused_just_where_one_of_them_could_never_decide(
    tables: list[dict[str, Any]],
) -> None:
    """Against all items that there can be: phase, class, territory, partner."""
    rules = tuple(convert(table, SharingRule, "site.toml") for table in tables)
    deciding = {
        id(decide(rules, to, item(phase, *classes, place=(30.0, 40.0), territory=territory)))
        for to in PARTNERS[1:]
        for phase in PHASES
        for classes in ((), *((c,) for c in CLASSES))
        for territory in (*TERRITORIES, "sea")
    }
    never = [i for i, r in enumerate(rules) if id(r) not in deciding]
    if not never:
        assert len(load(*tables)) == len(tables)
        return
    with pytest.raises(BadInput, match=rf"sharing\.Amber\[{never[0]}\]"):
        load(*tables)


# ------------------------------------------------------------------ in words


def test_rules_say_in_words_what_they_release_to_whom_and_what_stays() -> None:
    rules = load(
        rule(release="withheld", classes=["cruise", "short_range"], name="no aircraft"),
        coarse(round_m=1000, round_ms=50, delay_s=10, to=["Blue"], territories=["Ochre", "Slate"]),
        coarse(pseudonyms=True, key="secret", area=HERE | {"longitude_deg": -35.0}),
        rule("alerts"),
        coarse("impacts", delay_s=5, to=["Green"]),
        rule("plots", "withheld"),
    )
    said = describe(rules, "Amber", PARTNERS)
    rest = "of the others those within 300 km of 33° N 35° W with the sensors under pseudonyms, else as they "
    rest += "are (rule Amber/3); no others: no rule releases them"
    assert said == [
        "Blue and Green get no plots (rule Amber/6)",
        "Blue gets no tracks in cruise or of class short range (rule no aircraft); of the others those over "
        "Ochre or Slate with places rounded to 1000 m and velocities rounded to 50 m/s, 10 s late, "
        f"with the names of the sensors (rule Amber/2); {rest}",
        f"Green gets no tracks in cruise or of class short range (rule no aircraft); {rest}",
        "Blue and Green get no launch areas: no rule releases them",
        "Blue gets no predicted impacts: no rule releases them",
        "Green gets predicted impacts 5 s late, else as they are (rule Amber/5)",
        "Blue and Green get alerts as they are (rule Amber/4)",
        "Blue and Green get no reports on the health of sensors: no rule releases them",
        "Blue and Green get no announced launches: no rule releases them",
    ]
    assert "secret" not in " ".join(said)


def test_a_rounded_launch_area_is_said_to_lose_its_azimuth_and_probabilities() -> None:
    said = describe(load(coarse("launch_areas", round_m=10e3)), "Amber", ["Amber", "Blue"])
    assert (
        "Blue gets launch areas with places rounded to 10000 m, azimuths as coarse and no probability of a "
        "territory (rule Amber/1)"
    ) in said


def test_tracks_of_every_phase_are_all_tracks() -> None:
    (said,) = (
        line
        for line in describe(load(*(rule(classes=[p]) for p in PHASES)), "Amber", ["Amber", "Blue"])
        if "tracks" in line
    )
    assert "no others" not in said
    assert said.startswith(
        "Blue gets tracks in boost as they are, with the names of the sensors (rule Amber/1)"
    )


def test_without_rules_nothing_leaves_and_it_is_said_of_every_kind() -> None:
    said = describe((), "Amber", ["Amber", "Blue"])
    assert len(said) == len(KINDS) and all("Blue gets no " in line for line in said)


@pytest.mark.parametrize(
    ("plots", "tracks", "refused"),
    [
        ({"release": "as is"}, {"release": "as is"}, False),
        ({"release": "as is"}, {"release": "coarsened", "pseudonyms": True, "key": "k"}, True),
        ({"release": "coarsened", "pseudonyms": True, "key": "k"}, {"release": "as is"}, True),
        (
            {"release": "coarsened", "pseudonyms": True, "key": "k"},
            {"release": "coarsened", "pseudonyms": True, "key": "k"},
            False,
        ),
        (
            {"release": "coarsened", "pseudonyms": True, "key": "k"},
            {"release": "coarsened", "pseudonyms": True, "key": "other"},
            True,
        ),
        # what is rounded is fused as of unknown content, so no look of it is counted
        ({"release": "as is"}, {"release": "coarsened", "round_m": 1000.0}, False),
        ({"release": "as is"}, {"release": "withheld"}, False),
    ],
)
def test_a_look_may_not_go_out_under_two_names(
    plots: dict[str, Any], tracks: dict[str, Any], refused: bool
) -> None:
    """As a plot under one and in a track under another, a partner would count it twice."""
    tables = [{"kind": "plots", **plots}, {"kind": "tracks", **tracks}]
    for order in (tables, tables[::-1]):
        if refused:
            with pytest.raises(BadInput, match=r"sharing\.Amber\[1\]\.pseudonyms"):
                load_rules(order, "file", "Amber", ["Amber", "Blue"], [], [])
        else:
            assert len(load_rules(order, "file", "Amber", ["Amber", "Blue"], [], [])) == 2


def test_plots_of_a_place_are_said_to_enter_no_tracker() -> None:
    (said,) = (
        line
        for line in describe(load(rule(kind="plots", territories=["Ochre"])), "Amber", ["Amber", "Blue"])
        if "plots" in line
    )
    assert "plots over Ochre as they are" in said and "parts of looks, which no tracker takes yet" in said
