"""Reading a TOML file into typed records, so that every wrong key is refused in the same words.

A file's path and the record type it should hold go in; the record comes out, or `BadInput` naming the file,
the key (with its place in a list, such as `steps[2].within_s`), what was found and what was wanted.
Record types are `msgspec.Struct` declared with `forbid_unknown_fields=True`.
"""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from jointwatch.records.errors import BadInput

T = TypeVar("T", bound=msgspec.Struct)

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_EXPECTED = re.compile(r"Expected `([^`]*)`(?: \| null)?(.*?)(?:, got .*)?", re.DOTALL)
_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "datetime": "a date and time",
    "date": "a date",
}


def load_toml(path: Path, kind: type[T]) -> T:
    """The record of type `kind` that the TOML file at `path` holds; BadInput if it does not."""
    source = path.name
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise BadInput(source, "file", error.strerror or str(error), "a file that can be read") from None
    except UnicodeDecodeError as error:
        raise BadInput(source, f"byte {error.start}", "not UTF-8", "a TOML file in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput(source, "file", str(error), "a well-formed TOML file") from None
    return convert(document, kind, source)


def convert(document: dict[str, Any], kind: type[T], source: str) -> T:
    """`document` (dicts, lists, values) as a record of type `kind`; BadInput naming `source` and key."""
    refuse_not_finite(document, source)
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        problem = str(error)
    # msgspec writes a list's place as [...]: look for the first item that fails by itself, to name it
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        items = document.get(field.encode_name)
        item_kind = next(iter(get_args(hints[field.name])), None)
        if isinstance(items, list) and isinstance(item_kind, type) and issubclass(item_kind, msgspec.Struct):
            for i, item in enumerate(items):
                _refuse(item, item_kind, source, f"{field.encode_name}[{i}]")
    raise _bad_input(problem, document, kind, source, "")


def _refuse(item: object, kind: type[msgspec.Struct], source: str, place: str) -> None:
    """Nothing if `item` is a `kind`, else BadInput naming its `place`."""
    try:
        msgspec.convert(item, kind)
    except msgspec.ValidationError as error:
        raise _bad_input(str(error), item, kind, source, place) from None


def refuse_not_finite(value: object, source: str, key: str = "") -> None:
    """BadInput with its key if a number within `value` is not finite (whole ones: of 64 bits)."""
    if isinstance(value, dict):
        for name, item in value.items():
            refuse_not_finite(item, source, f"{key}.{name}".removeprefix("."))
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            refuse_not_finite(item, source, f"{key}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadInput(source, key, f"{value}", "a finite number")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise BadInput(source, key, "a number of too many digits", "a number of at most 64 bits")


def _bad_input(
    problem: str, document: object, kind: type[msgspec.Struct], source: str, place: str
) -> BadInput:
    """msgspec's message as BadInput: `$.a.b` becomes a.b, behind `place`."""
    what, _, at = problem.partition(" - at `")
    inner = at.rstrip("`").removeprefix("$").removeprefix(".")
    key = ".".join(part for part in (place, inner) if part)
    if match := _UNKNOWN.fullmatch(what):
        # the keys of the record itself are known; those of a table within it are in its own documentation
        keys = ", ".join(f.encode_name for f in msgspec.structs.fields(kind))
        wanted = "a known key" if inner else f"one of the keys {keys}"
        return BadInput(source, f"{key}.{match[1]}".removeprefix("."), "an unknown key", wanted)
    if match := _MISSING.fullmatch(what):
        return BadInput(source, f"{key}.{match[1]}".removeprefix("."), "nothing", "this key")
    found = _value_at(document, inner)
    if match := _EXPECTED.fullmatch(what):
        wanted = _WORDS.get(match[1], match[1]) + re.sub(r"(\d)\.0$", r"\1", match[2])
        return BadInput(source, key or "file", found, wanted.replace("`", ""))
    if choices := _choices(kind, inner):
        return BadInput(source, key or "file", found, "one of " + ", ".join(map(str, choices)))
    return BadInput(source, key or "file", found, what.replace("`", ""))


def _parts(key: str) -> list[str]:
    return re.findall(r"[^.\[\]]+|\.\.\.", key)


def _value_at(document: object, key: str) -> object:
    """What stands at a dotted key of a document."""
    found: Any = document
    for part in _parts(key):
        try:
            found = found[int(part)] if isinstance(found, list | tuple) else found[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return "something else"
    if isinstance(found, str) and not found.isprintable():
        return repr(found)  # a line break would make two lines of the sentence
    return "an empty text" if found == "" else found


def _choices(kind: Any, key: str) -> tuple[Any, ...]:
    """The words allowed at a dotted key of a record type; none where it is no choice of words."""
    for part in _parts(key):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            names = {f.encode_name: f.name for f in msgspec.structs.fields(kind)}
            kind = get_type_hints(kind).get(names.get(part, part))
        else:
            inside = get_args(kind) or (None,)
            kind = inside[-1] if get_origin(kind) is dict else inside[0]
    return get_args(kind) if get_origin(kind) is Literal else ()
