"""A kernel compiled before an edit of what it calls must not run again."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Two files with kernels, one without, and a kernel compiled after them."""
    (tmp_path / "__pycache__").mkdir()
    for name, text in (("callee.py", "@njit"), ("caller.py", "@njit"), ("plain.py", "x = 1")):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (1_000, 1_000))
    for name in ("caller.kernel-1.nbi", "caller.kernel-1.1.nbc"):
        (tmp_path / "__pycache__" / name).write_bytes(b"compiled")
        os.utime(tmp_path / "__pycache__" / name, (2_000, 2_000))
    return tmp_path


def drop_stale(folder: Path) -> int:
    place = Path(__file__).parents[1] / "scripts" / "fresh_kernels.py"
    spec = importlib.util.spec_from_file_location("fresh_kernels", place)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return int(module.drop_stale(folder))


def test_an_edit_of_any_file_with_kernels_drops_all_that_were_compiled(house: Path) -> None:
    os.utime(house / "callee.py", (3_000, 3_000))
    assert drop_stale(house) == 2
    assert list(house.rglob("*.nb*")) == []


def test_compiled_kernels_stay_where_no_kernel_was_edited(house: Path) -> None:
    os.utime(house / "plain.py", (3_000, 3_000))
    assert drop_stale(house) == 0
    assert len(list(house.rglob("*.nb*"))) == 2
