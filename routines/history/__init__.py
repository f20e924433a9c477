"""The history of runs: filters, pages, the search, saved views and exports."""
