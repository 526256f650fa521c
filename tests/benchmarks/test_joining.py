"""The benchmark of joining: the textbook's figures come out of our own filter."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def parts() -> Iterator[SimpleNamespace]:
    names = ("reentries", "pair_filters", "textbook_pair", "joining")
    sys.path.insert(0, str(HERE))
    modules: dict[str, ModuleType] = {name: importlib.import_module(name) for name in names}
    yield SimpleNamespace(**modules)
    sys.path.remove(str(HERE))
    for name in names:
        del sys.modules[name]


def test_the_textbooks_figures_are_stated_found_and_compared(
    parts: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parts.joining.main(["--part", "textbook", "--runs", "1"]) == 2
    assert "found 1" in capsys.readouterr().err
    assert parts.joining.main(["--part", "textbook", "--runs", "300", "--seed", "1"]) == 0
    lines = {line["method"]: line for line in map(json.loads, capsys.readouterr().out.splitlines()[:-1])}
    assert set(parts.textbook_pair.STATED) <= set(lines)
    for line in lines.values():
        assert {"rmse_over_central", "anees", "window"} <= set(line)
        # of 25 figures a few lie beyond two standard errors by chance, none beyond four
        assert all(abs(off) < 4.0 for off in line["off_in_standard_errors"].values()), line
    # tracklets of each scan lose nothing, neither at once nor after a cut; fewer of them do
    assert lines["equivalent measurement at every scan"]["apart_from_central"] < 1e-3
    assert lines["tracklets of each scan, kept and replayed"]["apart_from_central"] < 1e-6
    assert lines["tracklets at every 5 scans"]["rmse_over_central"] > 1.1
    assert lines["naive sum"]["anees"] > 2.5 > lines["central"]["anees"]
