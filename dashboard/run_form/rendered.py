"""What the fields of a run form made last, as the form carries it from one answer to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from routines import text_templates
from routines.text_templates import Filling


@dataclass(frozen=True)
class Made:
    text: str
    values: str
    is_whole: bool

    @classmethod
    def by(cls, filling: Filling, typed: Mapping[str, str]) -> Self:
        return cls(text_templates.digest(filling.text), digest_of(typed), filling.is_whole)

    @classmethod
    def read(cls, value: str) -> Self | None:
        match value.split():
            case [("whole" | "part") as how, text, values]:
                return cls(text, values, how == "whole")
        return None

    def __str__(self) -> str:
        return f"{'whole' if self.is_whole else 'part'} {self.text} {self.values}"


def digest_of(typed: Mapping[str, str]) -> str:
    return text_templates.digest("\0".join(f"{name}={value}" for name, value in typed.items()))
