"""What schemathesis does not know of itself: how bodies that are no JSON become bytes, and how JSON is written here."""

import json

import schemathesis

MESSAGES = ["application/admit-sealed-challenge+cbor", "application/admit-enrolment+cbor", "application/roughtime"]


@schemathesis.serializer(*MESSAGES)
def message(_context, value):
    """Bytes of no message: what the server says of them is described as well."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schemathesis.hook
def map_body(_context, body):
    """A number that JSON Schema calls an integer is written as one: 150 and not 150.0."""
    if not isinstance(body, dict):
        return body
    whole = {name: int(value) for name, value in body.items() if isinstance(value, float) and value.is_integer()}
    return body | whole
