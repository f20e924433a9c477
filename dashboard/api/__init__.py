"""The JSON API: what a key may fire, and its runs.

- `operations`, `resources`: what the API can do, and where; dispatch and document come from there
- `schemas`, `reading`: its shapes, and how strictly requests are read
- `index`, `routines`, `runs`, `run_answers`, `links`: the views, and how they tell of a run
- `document/`: all of that as OpenAPI, and as a page for people
"""
