"""Compiled kernels are found again where they may be, never after an edit, and kept where one can write."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from jointwatch.node import kernel_cache
from jointwatch.records import BadInput

SOURCES = kernel_cache.PACKAGE
FILES = sorted(p.relative_to(SOURCES).as_posix() for p in SOURCES.rglob("*.py"))


@cache
def imported(file: str) -> set[str]:
    """The plain twin: files of the package that one imports, by Python's own parser."""
    found = set()
    for node in ast.walk(ast.parse((SOURCES / file).read_bytes())):
        modules = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: an import that does not say which room"
            modules = [str(node.module), *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        for module in modules:
            if module == "jointwatch" or module.startswith("jointwatch."):
                inside = module.removeprefix("jointwatch").strip(".").replace(".", "/")
                found |= {f"{inside}.py", os.path.join(inside, "__init__.py")} & set(FILES)
    return found


def test_what_a_file_sees_is_what_it_imports_and_what_that_imports() -> None:
    for file in FILES:
        seen = {file}
        while more := {f for each in seen for f in imported(each)} - seen:
            seen |= more
        assert kernel_cache.seen_from(file) == seen, file
    assert "motion/propagate.py" in kernel_cache.seen_from("warning/impact.py")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A package with a kernel, what it calls, a constant, data, and a file that no kernel sees."""
    made = tmp_path / "jointwatch"
    for name, text in (
        ("node/kernel_cache.py", (SOURCES / "node" / "kernel_cache.py").read_text(encoding="utf-8")),
        ("room/caller.py", "from jointwatch.room.callee import (\n    called,\n)\n"),
        ("room/callee.py", "import math\nfrom jointwatch.below import constant\n"),
        ("below/__init__.py", ""),
        ("below/constant.py", "G = 9.8\n"),
        ("below/data/table.json", "[1]"),
        ("room/plain.py", "from jointwatch.room.caller import call\n"),
    ):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text, encoding="utf-8")
    return made


def name_in(house: Path, file: str = "room/caller.py") -> str:
    """The folder's name that a new process would ask for."""
    spec = importlib.util.spec_from_file_location(
        "kernel_cache_of_a_house", house / "node" / "kernel_cache.py"
    )
    assert spec and spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.kernels_of(file))


@pytest.mark.parametrize("edited", ["caller.py", "callee.py", "constant.py", "table.json"])
def test_an_edit_of_anything_that_a_kernel_sees_makes_it_compile_anew(house: Path, edited: str) -> None:
    before = name_in(house)
    (path,) = house.rglob(edited)
    was = path.stat()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("8", "7").replace("1", "2").replace("math", "cmath").replace("    ", "  "))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))  # the clock is not asked
    after = name_in(house)
    assert after != before
    assert after.startswith("room.caller-")
    path.write_text(text)
    assert name_in(house) == before


def test_an_edit_of_what_no_kernel_sees_leaves_all_as_it_is(house: Path, tmp_path: Path) -> None:
    before = name_in(house)
    (house / "room" / "plain.py").write_text("x = 1\n")
    assert name_in(house) == before
    moved = tmp_path / "elsewhere"
    house.rename(moved)
    assert name_in(moved) == before, "two copies of one version share"


def test_the_level_of_optimisation_is_part_of_the_name(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    before = name_in(house)
    monkeypatch.setattr(numba.config, "OPT", 3)
    assert name_in(house) != before


def test_of_a_file_that_is_edited_again_and_again_only_the_last_kernels_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_cache, "folder", lambda: tmp_path)
    monkeypatch.setattr(kernel_cache, "wanted", lambda: tmp_path)
    other = tmp_path / "earth.framework-0"
    other.mkdir()
    for age in range(6):
        old = tmp_path / f"earth.frames-{age}"
        old.mkdir()
        os.utime(old, (1_000 - age, 1_000 - age))
    place = kernel_cache.KernelCache("earth/frames.py", 1)
    place.ensure_cache_path()
    left = sorted(p.name for p in tmp_path.iterdir() if p != other)
    assert left == sorted([Path(place.get_cache_path()).name, *(f"earth.frames-{age}" for age in range(3))])
    assert other.is_dir()


# one kernel of the package, called in a process of its own
ONE_KERNEL = """
import json
from jointwatch.earth.frames import height_above_ellipsoid
from jointwatch.node.kernel_cache import folder
height = height_above_ellipsoid(6400e3, 0.0, 0.0)
stats = height_above_ellipsoid.stats
print(json.dumps({"height": height, "folder": str(folder()), "path": stats.cache_path,
                  "compiled": sum(stats.cache_misses.values()), "found": sum(stats.cache_hits.values())}))
"""


# root without the right to pass over permissions; anyone else has none
BOUND = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


class Site:
    """A copy of the package that nobody can write, and an environment to run it in."""

    def __init__(self, root: Path) -> None:
        self.root, self.install = root, root / "opt"
        shutil.copytree(SOURCES, self.install / "jointwatch", ignore=shutil.ignore_patterns("__pycache__"))
        self.home, self.temporary = root / "home", root / "tmp"
        self.home.mkdir()
        self.temporary.mkdir()
        read_only(self.install)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Python with these arguments, as one whom permissions bind."""
        places = {"PYTHONPATH": self.install, "HOME": self.home, "TMPDIR": self.temporary}
        env = {"PATH": os.environ["PATH"], **{k: str(v) for k, v in places.items()}, **environment}
        command = [sys.executable, *arguments]
        return subprocess.run(
            BOUND + command, env=env, capture_output=True, text=True, cwd=self.root, check=False
        )

    def one_kernel(self, **environment: str) -> dict[str, Any]:
        """What the process that calls one kernel says."""
        done = self.run("-c", ONE_KERNEL, **environment)
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        assert said["height"] == 6400e3 - 6378137.0
        assert Path(said["path"]).parent == Path(said["folder"])
        return said


def read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)


@pytest.fixture
def site() -> Iterator[Site]:
    if BOUND and (shutil.which(BOUND[0]) is None or subprocess.run([*BOUND, "true"], check=False).returncode):
        pytest.skip("root passes over permissions, and setpriv is not there or may not keep it from that")
    root = Path(tempfile.mkdtemp(prefix="jointwatch-site-"))
    try:
        yield Site(root)
    finally:
        for path in (root, *root.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)
        shutil.rmtree(root)


def test_a_read_only_install_keeps_kernels_in_the_users_own_cache(site: Site) -> None:
    own = site.home / ".cache" / "jointwatch" / "kernels"
    first = site.one_kernel()
    assert (first["folder"], first["compiled"], first["found"]) == (str(own), 1, 0)
    second = site.one_kernel()
    assert (second["folder"], second["compiled"], second["found"]) == (str(own), 0, 1)


def test_without_a_home_they_are_kept_in_a_temporary_folder_that_is_this_users_alone(site: Site) -> None:
    read_only(site.home)
    first = site.one_kernel()
    own = site.temporary / f"jointwatch-{os.geteuid()}"
    assert first["folder"] == str(own / "jointwatch" / "kernels")
    assert own.stat().st_mode & 0o777 == 0o700
    assert site.one_kernel()["found"] == 1


def test_a_sites_cache_serves_those_who_cannot_write_it(site: Site) -> None:
    shared = site.root / "shared"
    filled = site.one_kernel(JOINTWATCH_CACHE=str(shared))
    assert (filled["folder"], filled["compiled"]) == (str(shared), 1)
    read_only(shared)
    reader = site.one_kernel(JOINTWATCH_CACHE=str(shared))
    assert reader["folder"] == str(site.home / ".cache" / "jointwatch" / "kernels")
    assert (reader["compiled"], reader["found"]) == (0, 1)


def test_a_folder_asked_for_by_name_that_cannot_be_written_is_refused(site: Site) -> None:
    said = site.run("-m", "jointwatch", "warm", "--cache", str(site.install / "kernels"))
    assert said.returncode == 2 and said.stdout == ""
    assert len(said.stderr.strip().splitlines()) == 1, said.stderr
    assert "--cache" in said.stderr and str(site.install / "kernels") in said.stderr


def test_where_nothing_can_be_written_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "_writable", lambda place: False)
    kernel_cache.folder.cache_clear()
    with pytest.raises(BadInput, match=r"JOINTWATCH_CACHE.* wanted a folder that can be written"):
        kernel_cache.folder()
    kernel_cache.folder.cache_clear()


def test_a_temporary_folder_that_another_may_have_laid_out_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    place = tmp_path / f"jointwatch-{os.getuid()}"
    assert place / "jointwatch" / "kernels" in kernel_cache._own()
    place.chmod(0o777)
    assert place / "jointwatch" / "kernels" not in kernel_cache._own()
    place.rmdir()
    place.symlink_to(tmp_path)
    assert place / "jointwatch" / "kernels" not in kernel_cache._own()
