"""How do plain values stand in a link, so that damage is noticed?"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

_DIGEST = 6  # bytes
_LONGEST = 4000  # signs of a link
_DAMAGED = "this link is damaged: copy it once more, whole, or ask your teacher for it"


def encode(values: Mapping[str, Any]) -> str:
    """Plain values as text for an address.

    >>> decode(encode({"network": "vit"}))
    {'network': 'vit'}
    """
    content = _content(values)
    return base64.urlsafe_b64encode(_digest(content) + content).decode().rstrip("=")


def decode(text: str, longest: int = _LONGEST) -> dict[str, Any]:
    """What `encode` was given; ValueError where the text is damaged, or longer than that."""
    try:
        if len(text) > longest:
            raise ValueError
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = raw[_DIGEST:]
        values = json.loads(content) if raw[:_DIGEST] == _digest(content) else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ValueError(_DAMAGED)
    return values


def code_of(values: Mapping[str, Any]) -> str:
    """Twelve signs that two links share only if they fix the same."""
    return _digest(_content(values)).hex()


def _content(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":"), sort_keys=True).encode()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:_DIGEST]
