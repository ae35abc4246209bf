"""Letters drawn once in every text font that comes with matplotlib, all with capitals of the same height."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from unbraid.errors import InvalidData
from unbraid.types import Bytes

__all__ = ["CAPITAL", "FONTS", "TILE", "font", "letters"]

TILE = 96
"""Height and width of a letter's picture, in pixels."""

CAPITAL = 46
"""The height of an H in it."""

FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta",
    "cmr10", "cmb10", "cmss10", "cmtt10", "cmmi10",
)  # fmt: skip
"""The fonts with all Latin letters; the others that come with matplotlib hold symbols."""


def font(name: str) -> Path:
    """The file of a font.

    Raises:
        InvalidData: When this matplotlib does not have it.
    """
    import matplotlib as mpl

    file = Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf")
    if not file.is_file():
        raise InvalidData(f"matplotlib {mpl.__version__} has no font {file}: reinstall matplotlib with its data")
    return file


@cache
def letters(text: str) -> Bytes:
    """Every letter of ``text`` in every font, white on black, centred: ``(letters, fonts, TILE, TILE)``, read-only."""
    pictures = np.stack([_drawn(text, font(name)) for name in FONTS], axis=1)
    pictures.flags.writeable = False
    return pictures


def _drawn(text: str, file: Path) -> Bytes:
    # The size at which an H is as high as promised, from one that is measured.
    trial = ImageFont.truetype(str(file), 200)
    _, top, _, bottom = trial.getbbox("H")
    face = ImageFont.truetype(str(file), 200 * CAPITAL / (bottom - top))
    pictures = []
    for letter in text:
        drawn = Image.new("L", (2 * TILE, 2 * TILE))
        ImageDraw.Draw(drawn).text((TILE // 2, TILE // 2), letter, fill=255, font=face)
        shown = drawn.crop(drawn.getbbox())
        # Centred by what is seen: the rectangle that a font promises may be a few pixels off.
        picture = Image.new("L", (TILE, TILE))
        picture.paste(shown, ((TILE - shown.width) // 2, (TILE - shown.height) // 2))
        pictures.append(np.asarray(picture))
    return np.stack(pictures)
