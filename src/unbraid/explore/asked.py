"""What the page may ask in the body of a request, with the bounds of each number and list."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ROWS", "Codes", "Domain", "Entities", "Indices", "Orbit", "Row", "Translation"]

ROWS = 256
"""Images that one request may ask for."""
Number = Annotated[float, Field(allow_inf_nan=False)]
Row = Annotated[list[Number], Field(min_length=1, max_length=4096)]
Style = Annotated[list[Number], Field(max_length=4096)]
Domain = Annotated[int, Field(ge=0, le=1)]


class Codes(BaseModel):
    """Codes to decode, a row for each image."""

    model_config = ConfigDict(extra="forbid")
    codes: Annotated[list[Row], Field(min_length=1, max_length=ROWS)]


class Indices(BaseModel):
    """Images of the world, by their numbers."""

    model_config = ConfigDict(extra="forbid")
    images: Annotated[list[Annotated[int, Field(ge=0, lt=2**62)]], Field(min_length=1, max_length=ROWS)]


class Orbit(BaseModel):
    """An action, and the code on which it acts again and again."""

    model_config = ConfigDict(extra="forbid")
    code: Row
    action: Annotated[int, Field(ge=0, lt=4096)]
    times: Annotated[int, Field(ge=1, le=64)]
    image: Annotated[int, Field(ge=0, lt=2**62)] | None = None


class Entities(BaseModel):
    """The code of an image of objects, and which of them are drawn."""

    model_config = ConfigDict(extra="forbid")
    code: Row
    kept: Annotated[list[bool], Field(min_length=1, max_length=ROWS)]


class Translation(BaseModel):
    """An image of one domain, and styles of the other; a model without styles takes rows of no numbers."""

    model_config = ConfigDict(extra="forbid")
    pixels: Annotated[str, Field(max_length=4 * 3 * 256**2 // 3)]
    domain: Domain
    styles: Annotated[list[Style], Field(min_length=1, max_length=64)]
