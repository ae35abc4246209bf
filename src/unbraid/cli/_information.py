"""The KL of a VAE and its parts, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unbraid.info.decomposition import Decomposition

__all__ = ["show"]

NEAR = 1.0
"""Nats below log N from which on the mutual information is said to be near its ceiling."""


def show(found: Decomposition, *, images: int) -> None:
    """Print the parts, their errors, what each latent tells, and where the number of images bounds the information.

    Args:
        found: What is shown.
        images: How many the world has.
    """
    from rich.console import Console
    from rich.table import Table

    number = f"all {images:,}" if found.samples == images else f"{found.samples:,} of {images:,}"
    print(f"KL = I(x;z) + TC(z) + dimension-wise KL, in nats; the aggregate posterior is that of N = {number} images")
    table = Table()
    for column in ("part", "nats", "error"):
        table.add_column(column, justify="left" if column == "part" else "right")
    rows = (
        ("mutual information I(x;z)", "mutual_information", found.mutual_information),
        ("total correlation TC(z)", "total_correlation", found.total_correlation),
        ("dimension-wise KL", "dimension_wise", float(found.dimension_wise.sum())),
        ("KL, the sum of the three", "kl", found.kl),
    )
    for label, name, value in rows:
        table.add_row(label, f"{value:.3f}", f"{found.errors[name]:.3f}", end_section=name == "dimension_wise")
    table.add_row("KL in closed form", f"{found.closed_form:.3f}", "")
    Console(width=None if Console().is_terminal else 160).print(table)
    ordered = sorted(enumerate(found.latent_information), key=lambda row: -row[1])
    print("I(x;z_j) of each latent: " + "  ".join(f"z{j} {nats:.2f}" for j, nats in ordered))
    print(_bound(found, images))


def _bound(found: Decomposition, images: int) -> str:
    if found.mutual_information < found.ceiling - NEAR:
        return f"I(x;z) of {found.samples:,} images cannot exceed log N = {found.ceiling:.2f} nats."
    saturated = f"I(x;z) is near log N = {found.ceiling:.2f} nats, which it cannot exceed: "
    if found.samples == images:
        return saturated + "the code tells nearly every image of this world from the others."
    return saturated + "of more images it would be more, and TC(z) less; take more with --samples."
