"""When Python looks for garbage among all objects: seldom, since that holds up a page for 25 ms.

Nearly all that a request leaves behind goes away at once, by its reference count; the rest refers
to itself. Young objects are looked through as often as ever, which is cheap; all of them a tenth
as often, which costs some 30 MB of memory a worker.
"""

import gc


def look_seldom() -> None:
    """Called before each fork: what is loaded by then stays, and is not looked through again."""
    gc.collect()
    gc.freeze()  # workers that are forked now share its memory, too
    youngest, middle, _ = gc.get_threshold()
    gc.set_threshold(youngest, middle, 100)
