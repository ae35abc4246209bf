"""Encoders and decoders by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch

from unbraid.errors import InvalidOption
from unbraid.nn.conv import Decoder, Encoder
from unbraid.nn.dense import DenseDecoder, DenseEncoder
from unbraid.nn.image import ImageDecoder, ImageEncoder
from unbraid.nn.locatello import LocatelloDecoder, LocatelloEncoder
from unbraid.nn.modulated import ModulatedDecoder
from unbraid.nn.patches import PatchesDecoder, PatchesEncoder
from unbraid.nn.residual import ResidualDecoder, ResidualEncoder
from unbraid.types import Shape

__all__ = ["NETWORKS", "Network", "NetworkName", "require_judging"]

NetworkName = Literal["conv", "locatello", "dense", "patches", "residual", "modulated"]


@dataclass(frozen=True)
class Network:
    """A pair that fits together.

    Args:
        encoder: From the images' shape and the number of outputs.
        decoder: From the number of inputs and the images' shape.
    """

    encoder: Callable[[Shape, int], ImageEncoder]
    decoder: Callable[[int, Shape], ImageDecoder]


NETWORKS: Mapping[str, Network] = {
    "conv": Network(Encoder, Decoder),
    "locatello": Network(LocatelloEncoder, LocatelloDecoder),
    "dense": Network(DenseEncoder, DenseDecoder),
    "patches": Network(PatchesEncoder, PatchesDecoder),
    "residual": Network(ResidualEncoder, ResidualDecoder),
    "modulated": Network(Encoder, ModulatedDecoder),
}


def require_judging(network: str, shape: Shape) -> None:
    """Make sure that a judge may have this network, which need not be that of the model that it judges.

    Raises:
        InvalidOption: When there is none of this name, or it does not take these images.
    """
    if network not in NETWORKS:
        raise InvalidOption(f"network must be one of {', '.join(NETWORKS)}, but is {network!r}")
    try:
        with torch.device("meta"):  # of no weights, which would take time and random numbers
            NETWORKS[network].encoder(shape, 1)
    except InvalidOption as error:
        raise InvalidOption(f"the judge, which has a network of its own: {error}") from None
