"""When Python looks for garbage: seldom, since a look holds up a page for 25 ms and more.

Nearly all that a request leaves behind goes away at once, by its reference count; a look is for
what refers to itself. The default has one of all objects every few pages.
"""

import gc


def look_seldom() -> None:
    """Called once the code is loaded: that stands for good, so no look walks through it again."""
    gc.collect()
    gc.freeze()  # workers that are forked now share its memory, too
    gc.set_threshold(20_000, 20, 100)
