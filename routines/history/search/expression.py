from dataclasses import dataclass


@dataclass(frozen=True)
class Expression:
    """All the words, and of each group of facets one."""

    words: tuple[str, ...]
    facets: tuple[tuple[str, ...], ...] = ()
