"""Where a model looks, one step after the other."""

from __future__ import annotations

from matplotlib.figure import Figure

from unbraid.errors import InvalidData
from unbraid.plots._draw import as_images, enlarge
from unbraid.plots._scenes import Line, TakenApart, framed, lines

__all__ = ["attention"]


def attention(*, taken: TakenApart) -> Figure:
    """The window of each step over the image, and below it what the steps so far make of the image.

    Args:
        taken: Images, taken apart.

    Raises:
        InvalidData: When the model does not take images apart, or looks everywhere at once.
    """
    if taken.windows is None:
        raise InvalidData("this picture is of models that look through windows, one after the other")
    rows = [Line("image", enlarge(as_images(taken.images)))]
    for k in range(taken.grown.shape[1]):
        rows.append(Line(f"step {k + 1}", framed(taken.images, taken.windows, [k], taken.present), apart=True))
        rows.append(Line("made so far", enlarge(as_images(taken.grown[:, k]))))
    return lines("Where the model looks, step by step", "A step that finds no object has no window.", rows)
