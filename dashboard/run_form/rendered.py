"""What the fields of a run form rendered last, as the form carries it from answer to answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from routines import text_templates
from routines.text_templates import Filling


@dataclass(frozen=True)
class LastRendered:
    """Digests of a text and of the values it was rendered from; hidden in the form."""

    text: str
    values: str
    is_whole: bool

    @classmethod
    def of(cls, filling: Filling, typed: Mapping[str, str]) -> Self:
        return cls(text_templates.digest(filling.text), _digest(typed), filling.is_whole)

    @classmethod
    def parse(cls, value: str) -> Self | None:
        """What `str()` made; None if it is anything else."""
        match value.split():
            case [("whole" | "part") as how, text, values]:
                return cls(text, values, how == "whole")
        return None

    def __str__(self) -> str:
        return f"{'whole' if self.is_whole else 'part'} {self.text} {self.values}"

    def has_text(self, text: str) -> bool:
        return self.text == text_templates.digest(text)

    def has_values(self, typed: Mapping[str, str]) -> bool:
        return self.values == _digest(typed)


def _digest(typed: Mapping[str, str]) -> str:
    return text_templates.digest("\0".join(f"{name}={value}" for name, value in typed.items()))
