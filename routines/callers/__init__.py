"""Callers that are programs: API keys, and what they ask for.

- `keys`: making, changing, replacing and revoking them, each with its trace
- `networks`: where a key may be used from
- `authenticating`: which key a call proves to have, and whether it may use it now
- `idempotency`: what an Idempotency-Key becomes
- `asking`: a call becomes a run, once for its Idempotency-Key, or is turned away
- `offers`: what a key may fire, and what its runs may start from
- `rendering`: a template, filled in by a program
- `turned_away`: counts of the calls that became no run, and what to do about them
- `overview`, `scope`, `likely_retries`: what pages say of a key
- `of_routine`: which keys may fire a routine, and which have
"""
