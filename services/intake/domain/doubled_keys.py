"""Whether a JSON document names a key twice, of which every reader would keep another. Pure."""

import re

import orjson

_ESCAPES = re.compile(rb"\\(?:u003[aA]|(.))", re.DOTALL)


def has_doubled_key(value: bytes) -> bool:
    """Whether any object in the JSON names a key twice, however the key is escaped.

    A colon stands behind every key and nowhere else outside of texts. Read, where one of two
    values is dropped, and written anew, a document with a doubled key has fewer colons than
    before; any other has as many. That costs half of looking at each key.

    Raises `orjson.JSONDecodeError`, and `orjson.JSONEncodeError` above 254 levels.
    """
    anew = orjson.dumps(orjson.loads(value))
    return anew.count(b":") != value.count(b":") + _escaped_colons(value)


def _escaped_colons(value: bytes) -> int:
    r"""How many colons are written as \u003a: written anew they are plain ones."""
    if b"\\u003" not in value:
        return 0
    return sum(found[1] is None for found in _ESCAPES.finditer(value))
