"""No launch point leaves in a format that others read: neither a codec for it, nor a word in an alert."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing

from msgspec import Struct

import jointwatch.formats
from jointwatch.records import Alert, LaunchArea, LaunchReport

MODULES = [
    importlib.import_module(f"jointwatch.formats.{m.name}")
    for m in pkgutil.iter_modules(jointwatch.formats.__path__)
]


def test_no_format_takes_a_launch() -> None:
    """Nothing in the room knows the records, so nothing in it can write them as CoT, ASTERIX or anything."""
    assert len(MODULES) > 3
    for module in MODULES:
        for name, value in vars(module).items():
            assert value not in (LaunchArea, LaunchReport), (module.__name__, name)
            if inspect.isfunction(value):
                said = " ".join(str(t) for t in inspect.signature(value).parameters.values())
                assert "Launch" not in said, (module.__name__, name)
        assert "Launch" not in inspect.getsource(module), module.__name__


def held_by(kind: type) -> set[type]:
    """All record types that a record can hold, itself included."""
    found, open_ = set(), [kind]
    while open_:
        one = open_.pop()
        if isinstance(one, type) and issubclass(one, Struct):
            if one not in found:
                found.add(one)
                open_ += typing.get_type_hints(one).values()
        else:
            open_ += typing.get_args(one)
    return found


def test_what_an_alert_is_made_of_holds_no_launch() -> None:
    assert LaunchArea in held_by(LaunchReport)
    assert not held_by(Alert) & {LaunchArea, LaunchReport}
    fields = {f for kind in held_by(Alert) for f in kind.__struct_fields__}
    fields.discard("originator")
    assert not {f for f in fields for word in ("launch", "origin", "territor") if word in f}
