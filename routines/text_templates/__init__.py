"""Text templates: text with named fields, {{ ticket }}, and no logic at all.

`rendering` puts values in, `definitions` says how each field is asked for, `filling` brings both
together for one run. None of them knows the database.
"""

from routines.text_templates.definitions import (
    LONGEST_CHOICE,
    LONGEST_HELP,
    LONGEST_LABEL,
    MOST_FIELDS,
    Field,
    Kind,
    Problem,
    ValueRefused,
    form_fields,
    problems,
)
from routines.text_templates.filling import BUILT_IN, Filling, built_in, digest, fill, version_of
from routines.text_templates.json_text import JsonProblem, json_problem
from routines.text_templates.patterns import LONGEST_PATTERN
from routines.text_templates.rendering import (
    LONGEST_NAME,
    keep_literal,
    names_in,
    odd_placeholders,
    render,
)

__all__ = [
    "BUILT_IN",
    "LONGEST_CHOICE",
    "LONGEST_HELP",
    "LONGEST_LABEL",
    "LONGEST_NAME",
    "LONGEST_PATTERN",
    "MOST_FIELDS",
    "Field",
    "Filling",
    "JsonProblem",
    "Kind",
    "Problem",
    "ValueRefused",
    "built_in",
    "digest",
    "fill",
    "form_fields",
    "json_problem",
    "keep_literal",
    "names_in",
    "odd_placeholders",
    "problems",
    "render",
    "version_of",
]
