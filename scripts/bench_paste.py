#!/usr/bin/env python3
"""Puts measured tables into docs/performance.md, each between its marks.

Usage: bench_paste.py [RESULTS], the folder that scripts/bench.sh wrote (target/bench/results).
A mark `<!-- table NAME -->` begins a place and `<!-- end -->` ends it; NAME.md is what goes there.
Several names are pasted under one head. Places without results are left as they are and named.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PLACE = re.compile(r"(<!-- table ([\w ,-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(results: pathlib.Path, names: list[str]) -> str | None:
    rows: list[str] = []
    for name in names:
        file = results / f"{name}.md"
        if not file.exists():
            return None
        lines = [line for line in file.read_text().splitlines() if line.startswith("|")]
        rows += [line for line in lines if line not in rows]
    return "\n".join(rows) + "\n" if rows else None


def main() -> int:
    results = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/bench/results")
    missing: list[str] = []

    def filled(place: re.Match[str]) -> str:
        names = re.split(r"[ ,]+", place[2].strip())
        rows = table(results, names)
        if rows is None:
            missing.append(place[2])
            return place[0]
        return place[1] + rows + place[3]

    PAGE.write_text(PLACE.sub(filled, PAGE.read_text()))
    for name in missing:
        print(f"没有结果 / no results: {name}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
