"""The rule tables as a DMN 1.3 model, for readers of that notation; nothing is read back from it.

Source: OMG, Decision Model and Notation 1.3 (formal/21-02-01), with its interchange schema.
"""

from services.routing.domain.dmn.model import dmn_of

__all__ = ["dmn_of"]
