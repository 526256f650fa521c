"""No way from an exercise to a live sink: each that one can think of is tried, and fails."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import msgspec
import pytest
from made_alerts import Raid, config, key
from msgspec.structs import replace

from jointwatch.node.dispatch import AtOnce, Dispatch, check_sinks, render_cap
from jointwatch.node.sinks.files import Files
from jointwatch.node.sinks.permit import LivePermit, is_permitted, permit_live
from jointwatch.node.sinks.sink import Answer, ForExercise, ForLive
from jointwatch.node.sinks.sinks_file import load_sinks
from jointwatch.records import BadInput

EXERCISE, LIVE = config(exercise=True), config(exercise=False)


class Ear:
    """A transport that remembers what it was given."""

    name = "ear"

    def __init__(self, exercise: bool) -> None:
        self.exercise = exercise
        self.heard: list[str] = []

    def deliver(self, identifier: str, data: bytes) -> Answer:
        self.heard.append(identifier)
        return Answer("delivered")


def written(exercise: bool) -> tuple[str, bytes]:
    """An alert of either kind, as it is sent."""
    alert = Raid(exercise=exercise).says("alert")
    return alert.identifier, render_cap(config(exercise=exercise))(alert, [])


def test_each_kind_reaches_its_own() -> None:
    live, drill = Ear(False), Ear(True)
    assert ForLive(permit_live(LIVE), live).deliver(*written(False)).came == "delivered"
    assert ForExercise(drill).deliver(*written(True)).came == "delivered"
    assert (live.heard, drill.heard) == (["amber-01-0001"], ["EX-amber-01-0001"])


# ------------------------------------------------------------------ the permit


def test_an_exercise_gets_no_permit() -> None:
    with pytest.raises(BadInput, match="exercise"):
        permit_live(EXERCISE)
    with pytest.raises(BadInput, match="name"):
        permit_live(config(exercise=False, name="EX-amber"))


@pytest.mark.parametrize("truthy", [1, "false", None, 0])
def test_only_false_itself_is_live(truthy: object) -> None:
    with pytest.raises(BadInput):
        permit_live(config(exercise=truthy))


def test_a_permit_is_made_in_no_other_way() -> None:
    permit = permit_live(LIVE)
    with pytest.raises(TypeError):
        LivePermit()
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            copied(permit)
    with pytest.raises(TypeError):
        type("Mine", (LivePermit,), {})
    forged = object.__new__(LivePermit)
    for no_permit in (forged, None, True, "permit", Ear(False), LivePermit):
        assert not is_permitted(no_permit)
        with pytest.raises(TypeError):
            ForLive(no_permit, Ear(False))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        permit.config = EXERCISE  # type: ignore[attr-defined]


def test_a_permit_holds_for_the_configuration_it_was_given_for() -> None:
    given = config(exercise=False)
    sink = ForLive(permit_live(given), Ear(False))
    Dispatch(given, [sink], key(False), hand=AtOnce)
    for other in (replace(given, exercise=True), replace(given, name="another"), EXERCISE):
        with pytest.raises(BadInput):
            Dispatch(other, [sink], key(False), hand=AtOnce)
        with pytest.raises(BadInput):
            check_sinks(other, [sink])
    # the record itself changed behind its back
    msgspec.structs.force_setattr(given, "exercise", True)
    assert not is_permitted(sink.permit, given)
    with pytest.raises(BadInput):
        check_sinks(given, [sink])


# ------------------------------------------------------------------ the types


def test_a_node_of_an_exercise_takes_no_live_sink_and_a_live_one_none_of_an_exercise() -> None:
    live, drill = ForLive(permit_live(LIVE), Ear(False)), ForExercise(Ear(True))
    with pytest.raises(BadInput, match="live sink"):
        Dispatch(EXERCISE, [live], hand=AtOnce)
    with pytest.raises(BadInput):
        Dispatch(EXERCISE, [drill, live], hand=AtOnce)  # type: ignore[list-item]
    with pytest.raises(BadInput):
        Dispatch(LIVE, [drill], key(False), hand=AtOnce)
    with pytest.raises(BadInput):
        Dispatch(EXERCISE, [Ear(True)], hand=AtOnce)  # type: ignore[list-item]
    dispatch = Dispatch(LIVE, [live], key(False), hand=AtOnce)
    with pytest.raises(BadInput):
        dispatch.check(EXERCISE)


def test_a_transport_is_for_one_kind_and_stays_so() -> None:
    with pytest.raises(BadInput, match="live transport"):
        ForExercise(Ear(False))
    with pytest.raises(BadInput, match="exercise's transport"):
        ForLive(permit_live(LIVE), Ear(True))
    ear = Ear(True)
    sink = ForExercise(ear)
    ear.exercise = False
    assert sink.deliver(*written(True)).came == "refused" and ear.heard == []


def test_a_sink_cannot_be_made_into_the_other_kind() -> None:
    drill: Any = ForExercise(Ear(True))
    for name, value in (("exercise", False), ("status", "Actual"), ("__class__", ForLive)):
        with pytest.raises((AttributeError, TypeError)):
            setattr(drill, name, value)
    for kind in (ForExercise, ForLive):
        with pytest.raises(TypeError):
            type("Mine", (kind,), {"exercise": True})
    for copied in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError):
            copied(drill)


# ------------------------------------------------------------------ what is handed over


def test_a_sink_looks_at_what_it_is_handed() -> None:
    ear = Ear(False)
    live = ForLive(permit_live(LIVE), ear)
    identifier, drill = written(True)
    _, actual = written(False)
    for name, data, why in (
        (identifier, drill, "status is Exercise"),
        (identifier[3:], drill, "status is Exercise"),
        (identifier, drill.replace(b"<status>Exercise", b"<status>Actual"), "mark EX-"),
        ("amber-01-0002", actual, "calls itself amber-01-0001"),
        (
            "amber-01-0001",
            drill.replace(b"<status>Exercise", b"<status>Test").replace(b"EX-amber", b"amber"),
            "status is Test",
        ),
        ("amber-01-0001", b"take shelter", "no CAP message"),
    ):
        answer = live.deliver(name, data)
        assert answer.came == "refused" and why in answer.detail, (why, answer)
    assert ear.heard == []


def test_a_sink_of_an_exercise_passes_on_nothing_that_looks_live() -> None:
    ear = Ear(True)
    drill = ForExercise(ear)
    identifier, actual = written(False)
    assert "status is Actual" in drill.deliver(identifier, actual).detail
    claimed = actual.replace(b"<status>Actual", b"<status>Exercise")
    assert "lacks the mark" in drill.deliver(identifier, claimed).detail
    assert ear.heard == []


# ------------------------------------------------------------------ the file


def sinks_file(folder: Path, *entries: str) -> Path:
    path = folder / "sinks.toml"
    path.write_text("\n".join(f"[[sink]]\n{entry}" for entry in entries))
    return path


FILES = 'kind = "files"\nname = "{0} files"\nfolder = "{0}"\nfor = "{0}"\n'
LIVE_FILES, DRILL_FILES = FILES.format("live"), FILES.format("exercise")


@pytest.mark.parametrize("entries", [(LIVE_FILES,), (DRILL_FILES, LIVE_FILES)])
def test_an_exercise_refuses_a_file_with_any_live_sink(tmp_path: Path, entries: tuple[str, ...]) -> None:
    path = sinks_file(tmp_path, *entries)
    with pytest.raises(BadInput, match=r"sinks.toml: sink\[\d\].for: found live, wanted .*an exercise"):
        load_sinks(path, EXERCISE)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(BadInput):
        load_sinks(sinks_file(tmp_path, DRILL_FILES), LIVE)


def test_sinks_of_a_file_are_of_the_node_s_own_kind(tmp_path: Path) -> None:
    (drill,) = load_sinks(sinks_file(tmp_path, DRILL_FILES), EXERCISE)
    (live,) = load_sinks(sinks_file(tmp_path, LIVE_FILES), LIVE)
    assert type(drill) is ForExercise and type(live) is ForLive
    Dispatch(LIVE, [live], key(False), hand=AtOnce)
    assert live.deliver(*written(False)).came == "delivered"
    assert [p.name for p in (tmp_path / "live").glob("*.xml")] == ["amber-01-0001.xml"]
    with pytest.raises(BadInput):
        Dispatch(EXERCISE, [live], hand=AtOnce)  # type: ignore[list-item]


@pytest.mark.parametrize("kind", ["files", "feed"])
@pytest.mark.parametrize("live_first", [True, False])
def test_a_folder_is_for_whom_it_was_at_the_first_start(tmp_path: Path, kind: str, live_first: bool) -> None:
    """Also while there is no message in it yet."""
    text = FILES.replace('folder = "{0}"', 'folder = "out"').replace('"files"', f'"{kind}"')
    nodes = {"live": LIVE, "exercise": EXERCISE}
    first, second = nodes if live_first else reversed(nodes)
    for _ in range(2):
        (sink,) = load_sinks(sinks_file(tmp_path, text.format(first)), nodes[first])
        sink.close()
        with pytest.raises(BadInput, match=r"sink .*: folder: found .*/out for "):
            load_sinks(sinks_file(tmp_path, text.format(second)), nodes[second])
    # nor does a sink write there that was made in another way
    other = Files("other", tmp_path / "out", exercise=live_first)
    assert other.deliver(*written(live_first)).came == "refused"
    assert list((tmp_path / "out").glob("*.xml")) == []


@pytest.mark.parametrize("live_first", [True, False])
def test_a_folder_with_messages_from_before_there_were_marks_is_theirs(
    tmp_path: Path, live_first: bool
) -> None:
    text = FILES.replace('folder = "{0}"', 'folder = "out"')
    identifier, data = written(not live_first)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"{identifier}.xml").write_bytes(data)
    (tmp_path / "out" / "notes.xml").write_bytes(b"of a person")
    nodes = {"live": LIVE, "exercise": EXERCISE}
    first, second = nodes if live_first else reversed(nodes)
    with pytest.raises(BadInput, match=f"/out with {identifier}.xml in it"):
        load_sinks(sinks_file(tmp_path, text.format(second)), nodes[second])
    load_sinks(sinks_file(tmp_path, text.format(first)), nodes[first])


def test_no_two_sinks_have_one_folder(tmp_path: Path) -> None:
    """A feed lets go of its oldest messages, and would of an archive's."""
    (tmp_path / "link").symlink_to(tmp_path / "exercise")
    for name in ("exercise", "./exercise/", "link"):
        feed = f'kind = "feed"\nname = "feed"\nfolder = "{name}"\nfor = "exercise"\n'
        with pytest.raises(BadInput, match=r"sink\[1\].folder: found .*sink exercise files has it"):
            load_sinks(sinks_file(tmp_path, DRILL_FILES, feed), EXERCISE)
    assert not (tmp_path / "exercise").exists()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (DRILL_FILES.replace('for = "exercise"', ""), "for: found nothing"),
        (DRILL_FILES.replace('for = "exercise"', 'for = "both"'), "for: found both"),
        (DRILL_FILES.replace('folder = "exercise"', ""), "folder: found nothing"),
        (DRILL_FILES + 'url = "http://localhost"', "url: found http://localhost, wanted no such key"),
        (DRILL_FILES + "folders = 3", "folders: found an unknown key"),
        (DRILL_FILES.replace('"files"', '"fax"'), "kind: found fax"),
        (DRILL_FILES + "[[sink]]\n" + DRILL_FILES, "a name that no other sink has"),
        (
            'kind = "webhook"\nname = "w"\nfor = "exercise"\nurl = "ftp://x"\nsecret_file = "s"',
            "url: found ftp://x",
        ),
        (
            'kind = "webhook"\nname = "w"\nfor = "exercise"\nurl = "http://x"\nsecret_file = "none"',
            "the secret of sink w",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        load_sinks(sinks_file(tmp_path, entry), EXERCISE)
    assert said in str(refused.value)


def test_two_sinks_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = [ForExercise(Files("one", tmp_path, exercise=True)) for _ in range(2)]
    with pytest.raises(BadInput, match="two sinks of this name"):
        Dispatch(EXERCISE, twice, hand=AtOnce)


def test_the_types_say_so_before_anything_runs(tmp_path: Path) -> None:
    """mypy refuses a list of both kinds, and a live sink where one of an exercise is wanted."""
    from mypy import api

    code = tmp_path / "mixed.py"
    code.write_text(
        "from jointwatch.node.dispatch import Dispatch\n"
        "from jointwatch.node.sinks.sink import ForExercise, ForLive\n"
        "from jointwatch.node.config import NodeConfig\n"
        "def mixed(config: NodeConfig, live: ForLive, drill: ForExercise) -> None:\n"
        "    a: list[ForExercise] = [drill]\n"
        "    b: list[ForExercise] = [live]\n"
        "    c: list[ForLive] = [drill]\n"
        "    Dispatch(config, [drill])\n"
        "    Dispatch(config, [drill, live])\n"
    )
    said, _, _ = api.run(["--follow-imports=silent", "--ignore-missing-imports", str(code)])
    wrong = {line.split(":")[1] for line in said.splitlines() if ": error:" in line}
    assert wrong == {"6", "7", "9"}, said
