"""Runs, from the intent to its outcome.

- `accepting`: an intent becomes a run; `rules`, `limits` and `caps` say what stands in its way
- `firing`, `slots`: a person's press, sent at once while a place is free
- `queue`: what waits; claiming and cancelling it
- `sending`, `recording`, `retrying`: one request, its answer, and whether another attempt follows
- `awaiting`: waiting for the outcome of a run that somebody else sends
- `overdue`, `restored`: the end of what nobody works on, or what an older database holds as open
- `settling`, `outcomes`: what people say of unknown runs, and of how sessions went
- `naming`: how lines of the log name a run
"""
