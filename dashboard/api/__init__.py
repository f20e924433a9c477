"""What programs call: the fire-compatible door, and the API with its document.

- `authentication`: the API key of a call
- `refusals`: one refusal in the shape of each door
- `fire`, `bodies`, `endings`, `outcomes`, `preferences`: the endpoint's own request, at our address
- `operations`, `resources`: what the API can do, and where
- `schemas`, `reading`: its shapes, and how strictly requests are read
- `index`, `routines`, `runs`, `run_answers`, `links`: the views, and how they tell of a run
- `document`, `door_document`, `document_page`, `about`: the document, and its page for people
"""
