#!/usr/bin/env python3
"""Checks the licence of every dependency against the list in deny.toml, without further tools."""

import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def allowed_licences() -> set[str]:
    with open(ROOT / "deny.toml", "rb") as file:
        return set(tomllib.load(file)["licenses"]["allow"])


def satisfied(expression: str, allowed: set[str]) -> bool:
    """Evaluates an SPDX expression: OR needs one side, AND needs both."""
    tokens = re.findall(r"\(|\)|[^\s()/]+(?: WITH [^\s()]+)?|/", expression)
    position = 0

    def take() -> str | None:
        nonlocal position
        token = tokens[position] if position < len(tokens) else None
        position += 1
        return token

    def peek() -> str | None:
        return tokens[position] if position < len(tokens) else None

    def term() -> bool:
        token = take()
        if token == "(":
            value = either()
            take()
            return value
        return token in allowed or (token or "").split(" WITH ")[0] in allowed

    def both() -> bool:
        value = term()
        while peek() == "AND":
            take()
            value = term() and value
        return value

    def either() -> bool:
        value = both()
        while peek() in ("OR", "/"):
            take()
            value = both() or value
        return value

    return either()


def main() -> int:
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    allowed = allowed_licences()
    bad = [
        f'{package["name"]} {package["version"]}: {package["license"]}'
        for package in metadata["packages"]
        if not satisfied(package["license"] or "", allowed)
    ]
    for line in bad:
        print(f"许可证不在允许之列 / licence not allowed: {line}", file=sys.stderr)
    print(f'{len(metadata["packages"]) - len(bad)} packages, {len(bad)} refused')
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
