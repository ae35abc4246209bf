"""What the study compares."""

from __future__ import annotations

from typing import Any

METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "qlae": ("qlae", {}),
    "qlae, decay 0": ("qlae", {"weight_decay": 0.0}),
    "qlae, decay 1": ("qlae", {"weight_decay": 1.0}),
    "qlae, decay 3": ("qlae", {"weight_decay": 3.0}),
    "tripod": ("tripod", {}),
    "tripod, hessian 0": ("tripod", {"hessian": 0.0}),
    "betavae 4": ("betavae", {"beta": 4.0}),
    "betavae 8": ("betavae", {"beta": 8.0}),
    "betavae 4, from 20": ("betavae", {"beta": 4.0, "start": 20.0}),
    "betatcvae 6": ("betatcvae", {"beta": 6.0}),
    "betatcvae 6, from 20": ("betatcvae", {"beta": 6.0, "start": 20.0}),
}
"""What they are called here, the model, and its options."""
