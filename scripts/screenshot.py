"""A picture of a report at a chosen moment, for the README: `screenshot.py REPORT.html OUT.png --at 400`.

Needs Debian's `chromium` (or a path to one in CHROMIUM); the report is opened from disk, without a network.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def find_chromium() -> str | None:
    """The browser's path, or None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def screenshot(browser: str, report: Path, out: Path, state: dict[str, str], size: tuple[int, int]) -> None:
    """Draw `report` in the state given as its address's fragment (t, picture, theme, view) to `out`, PNG."""
    fragment = "&".join(f"{key}={value}" for key, value in state.items())
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser,
                *FLAGS,
                f"--user-data-dir={profile}",
                f"--window-size={size[0]},{size[1]}",
                "--virtual-time-budget=3000",
                f"--screenshot={out.resolve()}",
                f"{report.resolve().as_uri()}#{fragment}",
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--at", type=float, help="seconds from the exercise's start; otherwise its fullest moment"
    )
    parser.add_argument("--picture", default="joint", help="a partner's name in lower case, or joint")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--view", help='"Whole region" or a partner\'s name')
    parser.add_argument("--size", default="1400x900", help="width x height in pixels")
    chosen = parser.parse_args()
    browser = find_chromium()
    if browser is None:
        print("screenshot: needs chromium (make system-deps)", file=sys.stderr)
        return 2
    if not chosen.report.is_file():
        print(f"screenshot: {chosen.report}: found no such file, wanted a report", file=sys.stderr)
        return 2
    width, _, height = chosen.size.partition("x")
    if not (width.isdigit() and height.isdigit()):
        print(f"screenshot: --size: found {chosen.size}, wanted WIDTHxHEIGHT", file=sys.stderr)
        return 2
    state = {"picture": chosen.picture, "theme": chosen.theme}
    if chosen.at is not None:
        state["t"] = str(chosen.at)
    if chosen.view:
        state["view"] = chosen.view.replace(" ", "%20")
    screenshot(browser, chosen.report, chosen.out, state, (int(width), int(height)))
    if not chosen.out.is_file():
        print("screenshot: the browser wrote no picture", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
