"""The API's document, made of what dispatches and reads its requests.

- `openapi`, `fire_door`: the document; the door is in it, too
- `page`: the same for people
- `views`: both, open without a key
"""
