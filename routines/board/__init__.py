"""A person's board: its cards, finding and pinning routines, own templates, what is new."""

from routines.board.card import Card, card_after, cards, closed_cards, last_runs

__all__ = ["Card", "card_after", "cards", "closed_cards", "last_runs"]
