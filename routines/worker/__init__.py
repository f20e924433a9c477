"""The worker: the process that sends what waits, `manage.py worker`. As many as one likes.

- `process`: one worker from its start to its stop, and what signals do
- `loop`: looks at the queue, claims runs for free places, has them sent
- `places`: whose turn it is, fair among accounts and routines
- `waking`: what ends the loop's wait
- `outage`: a database that is away
- `heartbeat`: that this worker is alive, and whether any is
- `duties`: what else no page should wait for
"""
