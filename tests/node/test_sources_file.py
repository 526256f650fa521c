"""The file of sources: what is wrong in it is named, and it is for exercises or live, never for both."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_caps import KEY, LIVE_KEY, SENDER

from jointwatch.node.key_files import keep_warning_key
from jointwatch.node.sources.sources_file import Heeded, load_sources
from jointwatch.records import BadInput

PARTNERS = ("Amber", "Blue")
GOOD = f"""
[[sender]]
name = "{SENDER}"
certificate = "{SENDER}-exercise.cert.pem"

[[sender]]
name = "south.example"
show_unverified = true
partner = "Blue"

[[source]]
kind = "folder"
name = "drop"
for = "exercise"
folder = "drop"

[[source]]
kind = "feed"
name = "south"
for = "exercise"
partner = "Blue"
url = "http://127.0.0.1:8730/feed.atom"
every_s = 5
"""


@pytest.fixture
def load(tmp_path: Path) -> object:
    keep_warning_key(KEY, tmp_path)
    keep_warning_key(LIVE_KEY, tmp_path)

    def loaded(text: str, exercise: bool = True) -> dict[str, Heeded]:
        path = tmp_path / "sources.toml"
        path.write_text(text)
        return load_sources(path, PARTNERS, exercise)

    return loaded


def test_each_partner_has_its_own_and_what_is_shared(load, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    found = load(GOOD)
    assert [s.name for s in found["Amber"].senders] == [SENDER]
    assert [s.name for s in found["Blue"].senders] == [SENDER, "south.example"]
    assert [s.name for s in found["Amber"].sources] == ["drop"]
    assert [(s.name, s.every_s) for s in found["Blue"].sources] == [("drop", 10.0), ("south", 5.0)]
    assert found["Amber"].sources[0].folder == tmp_path / "drop"
    assert found["Amber"].senders[0].certificates == (KEY.certificate.pem().decode(),)
    assert found["Amber"].sources[0] is not found["Blue"].sources[0]


def test_a_live_file_for_a_live_node(load) -> None:  # type: ignore[no-untyped-def]
    text = GOOD.replace('"exercise"', '"live"').replace("-exercise.cert", "-live.cert")
    assert len(load(text, exercise=False)["Blue"].sources) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('for = "exercise"', 'for = "live"', "this node is an exercise"),
        ("-exercise.cert", "-live.cert", "one for live"),
        (f'name = "{SENDER}"', 'name = "west.example"', f"one of {SENDER}"),
        ('folder = "drop"', 'url = "http://a/"', "source[0].folder: found nothing"),
        ('folder = "drop"', 'folder = "drop"\nurl = "http://a/"', "no such key of kind folder"),
        ("http://127.0.0.1:8730/feed.atom", "file:///etc/passwd", "source[1]: url"),
        ('name = "south"', 'name = "drop"', "no other source has"),
        ('partner = "Blue"', 'partner = "Green"', "one of Amber, Blue"),
        ("show_unverified = true", "", "or show_unverified = true"),
        ("south.example", SENDER, "twice for Blue"),
        ("-exercise.cert.pem", "-none.pem", "a file that can be read"),
        ("every_s = 5", "every_s = 0.1", "every_s"),
        ("every_s = 5", "often = 5", "one of the keys"),
    ],
)
def test_what_is_wrong_is_named(load, old: str, new: str, said: str) -> None:  # type: ignore[no-untyped-def]
    assert old in GOOD
    with pytest.raises(BadInput) as refused:
        load(GOOD.replace(old, new))
    assert said in str(refused.value)


def test_an_exercise_s_file_is_refused_by_a_live_node(load) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadInput, match="takes no alerts of an exercise"):
        load(GOOD, exercise=False)


def test_sources_without_anybody_listened_to_are_refused(load) -> None:  # type: ignore[no-untyped-def]
    text = GOOD.replace(
        'show_unverified = true\npartner = "Blue"', 'show_unverified = true\npartner = "Amber"'
    )
    with pytest.raises(BadInput, match="none for Blue"):
        load(text.replace(f'name = "{SENDER}"', f'name = "{SENDER}"\npartner = "Amber"'))
