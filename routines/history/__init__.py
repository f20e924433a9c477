"""The history of runs: filters, pages, the search, saved views and exports."""

from routines.history.pages import LINE, MOST_NEW, PAGE_SIZE, Line, new_since, page, top

__all__ = ["LINE", "MOST_NEW", "PAGE_SIZE", "Line", "new_since", "page", "top"]
