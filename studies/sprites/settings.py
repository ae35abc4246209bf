"""What the study compares."""

from __future__ import annotations

from typing import Any

STEPS = 5_000
SEEDS = (0, 1, 2)
SAMPLES = 10_000
SCORES = ("mig", "dci", "sap", "factorvae_score")
FIT: dict[str, Any] = {"learning_rate": 1e-3, "decay": 1500, "network": "patches"}

ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "VAE": ("vae", {}),
    "beta-VAE": ("betavae", {"beta": 4.0}),
    "beta-TCVAE": ("betatcvae", {"beta": 6.0}),
    "FactorVAE": ("factorvae", {"gamma": 35.0, "critic_width": 256}),
    "beta-VAE, lowered": ("betavae", {"beta": 4.0, "start": 15.0, "anneal": 3500}),
    "beta-TCVAE, lowered": ("betatcvae", {"beta": 6.0, "start": 60.0, "anneal": 3500}),
    "beta-TCVAE, longer": (
        "betatcvae", {"beta": 6.0, "start": 60.0, "anneal": 14_000, "steps": 20_000, "decay": 6000}
    ),
}  # fmt: skip
"""Each objective at its paper's strength for dSprites, then with a KL whose weight falls; last with more steps."""
