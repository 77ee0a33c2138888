"""A YAML document whose every value knows its line, so that a refusal can say where."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from countersign.errors import RequestError


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a document: plain (`value`), a mapping (`entries`) or a list (`items`)."""

    file: str
    line: int
    name: str
    value: Any = None
    entries: dict[str, Value] | None = None
    items: tuple[Value, ...] | None = None

    def refuse(self, why: str) -> RequestError:
        """What is wrong with this value, with its file and line."""
        return RequestError(f"{self.file}, line {self.line}: {self.name} {why}")

    def section(self, known: Iterable[str]) -> dict[str, Value]:
        """The entries by key. Raises RequestError for a key that is not known, by name and line."""
        names = list(known)
        if self.entries is None:
            raise self.refuse(f"must be a mapping with {', '.join(names)}")
        for key, entry in self.entries.items():
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                where = f" in {self.name}" if self.name else ""
                raise RequestError(
                    f"{self.file}, line {entry.line}: unknown key {key!r}{where}{meant} "
                    f"Known are {', '.join(names)}"
                )
        return self.entries

    def text(self, *allowed: str) -> str:
        """A text, one of `allowed` if any are given. Raises RequestError."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.refuse(f"must be {'one of ' + ', '.join(allowed) if allowed else 'a text'}")
        if allowed and self.value not in allowed:
            near = difflib.get_close_matches(self.value, allowed, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise self.refuse(f"must be one of {', '.join(allowed)}{meant}")
        return self.value

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number between `low` and `high`. Raises RequestError."""
        found = as_number(self.value)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self.refuse("must be a number")
        if not low <= found <= high or not math.isfinite(found):
            raise self.refuse(f"must be a number {_between(low, high)}")
        return float(found)

    def whole(self, low: int = 0, high: int = 2**31 - 1) -> int:
        """A whole number between `low` and `high`. Raises RequestError."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.refuse("must be a whole number")
        if not low <= self.value <= high:
            raise self.refuse(f"must be a whole number {_between(low, high)}")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """A list of texts, none twice. Raises RequestError."""
        if self.items is None:
            raise self.refuse("must be a list")
        found = tuple(item.text() for item in self.items)
        for number, item in enumerate(self.items):
            if found[number] in found[:number]:
                raise item.refuse("is named twice")
        return found

    def plain(self) -> float | int | str | bool:
        """A number, a text, or yes or no. Raises RequestError."""
        found = as_number(self.value)
        if not isinstance(found, bool | int | float | str):
            raise self.refuse("must be a number, a text, true or false")
        return found


def _between(low: float, high: float) -> str:
    if math.isinf(high):
        return f"of at least {low:g}"
    return f"of at most {high:g}" if math.isinf(low) else f"from {low:g} to {high:g}"


def as_number(value: Any) -> Any:
    """`1e-3` is a text to YAML and a number to people."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def parse(text: str, file: str) -> Value:
    """The document as a value. Raises RequestError when it is not YAML, or a key stands twice."""
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            return (
                Value(file, 1, "", entries={})
                if node is None
                else _value(yaml, loader, node, file, "", depth=0)
            )
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise RequestError(f"{file}{where}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise RequestError(f"{file}: not YAML: {' '.join(str(error).split())}") from error


def _value(yaml: Any, loader: Any, node: Any, file: str, name: str, depth: int) -> Value:
    line = node.start_mark.line + 1
    if depth > 10:
        raise RequestError(f"{file}, line {line}: nested too deeply")
    if isinstance(node, yaml.MappingNode):
        entries: dict[str, Value] = {}
        for key_node, child in node.value:
            key = str(loader.construct_object(key_node))
            at = key_node.start_mark.line + 1
            if key in entries:
                raise RequestError(f"{file}, line {at}: {key!r} stands twice")
            path = f"{name}.{key}" if name else key
            made = _value(yaml, loader, child, file, path, depth + 1)
            entries[key] = Value(file, at, path, made.value, made.entries, made.items)
        return Value(file, line, name, entries=entries)
    if isinstance(node, yaml.SequenceNode):
        items = tuple(
            _value(yaml, loader, child, file, f"{name}[{n}]", depth + 1)
            for n, child in enumerate(node.value)
        )
        return Value(file, line, name, items=items)
    return Value(file, line, name, value=loader.construct_object(node))
