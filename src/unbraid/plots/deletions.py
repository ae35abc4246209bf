"""Images without one of their objects."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._draw import as_images, enlarge, faded
from unbraid.plots._scenes import Line, TakenApart, lines, nth

__all__ = ["deletions"]


def deletions(*, taken: TakenApart) -> Figure:
    """What is made of images when one of their entities is taken away: one object should be gone, no other touched.

    Where an entity stands for no object there is nothing to take away, and the image is in pale grey.

    Args:
        taken: Images, taken apart.

    Raises:
        InvalidData: When the model does not take images apart.
    """
    rows = [Line("image", enlarge(as_images(taken.images))), Line("made of it", enlarge(as_images(taken.whole)))]
    for k in range(taken.without.shape[1]):
        shown = enlarge(as_images(taken.without[:, k]))
        shown = np.where(taken.present[:, k, None, None, None], shown, faded(shown))
        rows.append(Line(f"without {nth(k)}", shown, apart=k == 0))
    return lines("One entity taken away", "In each row one object should be gone, or none (in pale grey).", rows)
