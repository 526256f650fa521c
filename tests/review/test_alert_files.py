"""The files of a played exercise's warnings: each partner's in its own languages."""

from __future__ import annotations

from pathlib import Path

import msgspec
from made_recordings import FERN, LARCH, SMALL, falling, flown, recorded, said

from jointwatch.exercise.nodes import node_configs
from jointwatch.exercise.scenario import load_scenario
from jointwatch.formats.cap import read_cap
from jointwatch.node.config import NodeConfig
from jointwatch.review.after_action import write_results

LANGUAGES = {"Amber": ("he-IL", "en-US"), "Blue": ("ar",)}
SCENARIO = msgspec.structs.replace(
    load_scenario(SMALL),
    partners=tuple(
        msgspec.structs.replace(p, languages=LANGUAGES[p.name]) for p in load_scenario(SMALL).partners
    ),
)


def test_each_partners_people_are_warned_in_its_languages(tmp_path: Path) -> None:
    one = flown(SCENARIO, "one", FERN, 100.0)
    first = said(SCENARIO, 60.0, "alert", (FERN,), (falling("A-1", FERN),))
    alert, behind = said(SCENARIO, 61.0, "alert", (LARCH,), (falling("A-1", LARCH),))
    theirs = msgspec.structs.replace(alert, partner="Blue"), behind
    write_results(recorded(SCENARIO, [one], {("A-1",): one}, [first, theirs]), tmp_path)
    files = sorted((tmp_path / "alerts").iterdir())
    assert [f.name for f in files] == ["amber-0001-alert-shelter.xml", "blue-0001-alert-shelter.xml"]
    for file, languages in zip(files, LANGUAGES.values(), strict=True):
        message = read_cap(file.read_bytes(), file.name)
        assert tuple(info.language for info in message.infos) == languages


def test_a_nodes_configuration_says_its_languages_and_an_older_one_is_read() -> None:
    for key, config in node_configs(SCENARIO).items():
        assert config.languages == LANGUAGES[key.removesuffix(" alone")]
        old = msgspec.msgpack.decode(msgspec.msgpack.encode(config))
        del old["languages"]
        for zone in old["zones"]:
            del zone["names"], zone["people"]
        read = msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=NodeConfig)
        assert read == msgspec.structs.replace(config, languages=("en-US",))
