"""What ``unbraid.info`` shows, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import unbraid.info


def test_every_estimator_is_shown_by_the_package() -> None:
    assert all(callable(getattr(unbraid.info, name)) for name in unbraid.info.__all__)


def test_estimators_on_arrays_do_not_load_torch() -> None:
    used = "import sys, unbraid.info as i; i.discretise, i.gaps, i.single_latent_accuracy, i.boost"
    subprocess.run([sys.executable, "-c", f"{used}; assert 'torch' not in sys.modules"], check=True)
