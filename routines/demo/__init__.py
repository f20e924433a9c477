"""What `make demo` starts with: five routines, three people, three callers, and
eleven weeks of runs.

Only ever for the practice API: `seed` refuses any endpoint that is not on this machine, and any
database that already holds something else.
"""

from routines.demo.content import PASSWORD, PEOPLE, ROUTINES
from routines.demo.seeding import Refused, seed

__all__ = ["PASSWORD", "PEOPLE", "ROUTINES", "Refused", "seed"]
