"""What the columns of a history are called that are no terms of the loss; nothing is drawn here, nor loaded to draw."""

from __future__ import annotations

__all__ = ["KL", "SIGN"]

SIGN = "sign_"
"""How a history calls what tells when training goes wrong."""
KL = "kl_z"
"""How the KL of a latent is called, before its number."""
