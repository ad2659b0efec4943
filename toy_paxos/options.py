"""What options take: numbers, names and classes, refused in words that say what to do."""

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import click


class Number(click.FloatRange):
    """A finite number from a range: click's own range lets ``nan`` through, and calls numbers floats."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; raise click.BadParameter if it is none, or out of range."""
        assert self.min is not None
        assert self.max is not None
        number, with_a_point = as_float(str(value)), as_float(str(value).replace(",", "."))
        if self.min <= number <= self.max:
            return number + 0.0  # So that -0.0 is 0.0.
        remedy = f": write {with_a_point:g}" if self.min <= with_a_point <= self.max else ""
        words = f"{shortened(value)} is no number from {self.min:g} to {self.max:.15g}{remedy}."
        raise click.BadParameter(words, ctx, param)


def as_float(text: str) -> float:
    """The number that a text says, or nan, which is in no range."""
    try:
        return float(text)
    except ValueError:
        return math.nan


class AnyWholeNumber(click.ParamType[int]):
    """A whole number."""

    name = "whole number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; raise click.BadParameter if it is none."""
        try:
            return int(value)
        except ValueError as error:
            raise click.BadParameter(f"{shortened(value)} is no whole number.", ctx, param) from error


class WholeNumber(click.IntRange):
    """A whole number from a range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; raise click.BadParameter if it is none, or out of range."""
        try:
            return super().convert(int(value), param, ctx)
        except (ValueError, click.BadParameter) as error:
            words = f"{shortened(value)} is no whole number from {self.min} to {self.max}."
            raise click.BadParameter(words, ctx, param) from error


class RuleName(click.Choice[str]):
    """The name of a rule, or ``list``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; raise click.BadParameter with the one that was probably meant."""
        if value in self.choices:
            return str(value)
        words = f"there is no rule {shortened(value)!r}.{suggestion(value, self.choices)}"
        raise click.BadParameter(words, ctx, param)


def shortened(value: object) -> str:
    """What somebody wrote, or the beginning of it."""
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def suggestion(name: str, names: Iterable[str]) -> str:
    """A question after the name that was probably meant, if there is one."""
    return "".join(f" Did you mean {match!r}?" for match in get_close_matches(name, list(names), n=1))
