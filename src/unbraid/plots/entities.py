"""What each entity of an image is."""

from __future__ import annotations

from matplotlib.figure import Figure

from unbraid.plots._draw import as_images, enlarge
from unbraid.plots._scenes import Line, TakenApart, framed, lines, nth

__all__ = ["entities"]


def entities(*, taken: TakenApart) -> Figure:
    """Images, what is made of them, and each of their entities alone, with its mask.

    An object should be whole in one entity and absent from all others. Windows, where a model has them, are drawn over
    the image, in one colour for each entity; of entities that stand for no object there is none.

    Args:
        taken: Images, taken apart.

    Raises:
        InvalidData: When the model does not take images apart.
    """
    count = taken.alone.shape[1]
    shown = enlarge(as_images(taken.images))
    if taken.windows is not None:
        shown = framed(taken.images, taken.windows, range(count), taken.present)
    rows = [Line("image", shown), Line("made of it", enlarge(as_images(taken.whole)))]
    for name, parts in (("", taken.alone), ("mask of ", taken.masks)):
        rows += [Line(name + nth(k), enlarge(as_images(parts[:, k])), apart=k == 0) for k in range(count)]
    return lines("What the model takes for objects", "Each entity by itself, then what of each pixel is its own.", rows)
