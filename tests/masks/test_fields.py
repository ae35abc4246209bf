"""Random fields: their spectrum, their symmetry, and the published program's mistake."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.masks.fields import REST, evaluate, fields, published


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def power(field: Tensor) -> Tensor:
    """The mean energy of every frequency, relative to all of them."""
    energy = torch.fft.fftn(field, dim=tuple(range(1, field.ndim))).abs().square().mean(0)
    return energy / energy.sum()


def frequencies(shape: tuple[int, ...]) -> Tensor:
    grid = torch.meshgrid(*[torch.fft.fftfreq(n) for n in shape], indexing="ij")
    return torch.stack(grid).square().sum(0).sqrt()


@pytest.mark.parametrize("shape", [(9,), (10,), (5, 8), (8, 5), (7, 7), (3, 5, 4), (4, 3, 6)])
@pytest.mark.parametrize("decay", [0.5, 1.5])
def test_every_frequency_has_its_energy_whatever_the_sizes(shape: tuple[int, ...], decay: float) -> None:
    found = power(fields(12_000, shape, decay=decay, generator=seeded()))
    expected = frequencies(shape).clamp_min(1 / max(shape)) ** (-2 * decay)
    expected.view(-1)[0] = 0
    expected = expected / expected.sum()
    assert torch.allclose(found, expected, rtol=0.09, atol=1e-6)


@pytest.mark.parametrize("decay", [1.0, 2.0, 3.0, 4.0])
def test_the_spectrum_falls_with_the_chosen_power(decay: float) -> None:
    found, f = power(fields(512, (64, 64), decay=decay, generator=seeded())), frequencies((64, 64))
    band = (f > 0) & (f <= (4 if decay == 4 else 5) / 64)  # a steep spectrum has no more waves
    x, y = f[band].log(), found[band].log()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    assert float(slope) == pytest.approx(-2 * decay, abs=0.05)


def test_a_field_varies_alike_at_every_pixel() -> None:
    spread = fields(20_000, (6, 9), generator=seeded()).std(0)
    assert float(spread.max() / spread.min()) < 1.05


def test_fast_waves_are_left_out_of_steep_spectra_only() -> None:
    fast = frequencies((64, 64)) > 0.4
    assert float(power(fields(64, (64, 64), decay=1.9, generator=seeded()))[fast].sum()) > 1e-4
    assert float(power(fields(64, (64, 64), decay=3.0, generator=seeded()))[fast].sum()) < 1e-9


@pytest.mark.parametrize(("shape", "decay"), [((48, 48), 3.0), ((48, 48), 4.0), ((200,), 3.0), ((24, 24, 24), 4.0)])
def test_what_is_left_out_has_no_more_energy_than_is_said(shape: tuple[int, ...], decay: float) -> None:
    energy = frequencies(shape).clamp_min(1 / max(shape)) ** (-2 * decay)
    energy.view(-1)[0] = 0
    drawn = power(fields(4, shape, decay=decay, generator=seeded())) > 1e-11
    left_out = float(energy[~drawn].sum() / energy.sum())
    assert 0 < left_out < REST
    assert int(drawn.sum()) < drawn.numel() / 2


def as_published(normal: np.ndarray, shape: tuple[int, ...], decay: float) -> np.ndarray:
    """One field, step by step as the research notes describe the program."""
    if len(shape) == 1:
        freqs = np.abs(np.fft.fftfreq(shape[0]))
    elif len(shape) == 2:
        across = np.fft.fftfreq(shape[1])[: shape[1] // 2 + (2 if shape[1] % 2 else 1)]
        freqs = np.sqrt(across**2 + np.fft.fftfreq(shape[0])[:, None] ** 2)
    else:
        across = np.fft.fftfreq(shape[1])[: shape[1] // 2 + (2 if shape[1] % 2 else 1)]
        deep = np.fft.fftfreq(shape[2])[:, None]
        freqs = np.sqrt(across**2 + np.fft.fftfreq(shape[0])[:, None, None] ** 2 + deep**2)
    scale = 1 / np.maximum(freqs, 1 / max(shape)) ** decay
    spectrum = (scale[..., None] * normal)[None]
    mixed_up = spectrum[:, 0] + 1j * spectrum[:, 1]
    return np.real(np.fft.irfftn(mixed_up, shape, axes=tuple(range(-len(shape), 0)))).reshape(shape)


@pytest.mark.parametrize("shape", [(17,), (16,), (8, 8), (9, 7), (6, 11), (6, 5, 7), (12, 16, 20)])
def test_the_reference_spectrum_is_the_published_programs_to_the_bit_of_float32(shape: tuple[int, ...]) -> None:
    half = shape[1] // 2 + 1 + shape[1] % 2 if len(shape) > 1 else 0
    sizes = {1: shape, 2: (shape[0], half), 3: (shape[0], shape[-1], half)}[len(shape)]
    normal = np.random.default_rng(0).normal(size=(3, *sizes, 2))
    ours = published(torch.from_numpy(normal).float(), shape, decay=3.0).numpy()
    for row, one in zip(ours, normal, strict=True):
        theirs = as_published(one, shape, 3.0)
        assert np.allclose(row, theirs, atol=1e-5 * np.abs(theirs).max())
    for count in (0, 3):
        assert fields(count, shape, spectrum="reference").shape == (count, *shape)


def test_the_published_program_waves_once_at_most_along_the_last_axis() -> None:
    for shape in ((32,), (32, 32), (16, 16, 16)):
        found = power(fields(64, shape, spectrum="reference", generator=seeded()))
        seen = set((found.reshape(-1, shape[-1]).amax(0) > 1e-9).nonzero().flatten().tolist())
        assert seen == {0, 1, shape[-1] - 1}


def test_fields_are_the_same_of_the_same_seed_and_differ_otherwise() -> None:
    first, again, other = (fields(3, (9, 9), generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


def test_a_field_at_the_points_of_a_grid_has_the_energies_of_one_on_a_grid() -> None:
    line = torch.arange(9) / 9
    grid = torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).reshape(1, 81, 2).expand(5000, -1, -1)
    found = power(evaluate(grid, decay=1.5, generator=seeded()).reshape(-1, 9, 9))
    expected = power(fields(5000, (9, 9), decay=1.5, generator=seeded(1)))
    assert torch.allclose(found, expected, rtol=0.2, atol=1e-6)


def test_an_impossible_field_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidOption, match="spectrum must be isotropic or reference"):
        fields(1, (4, 4), spectrum="white")  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="one axis or more"):
        fields(1, ())
    with pytest.raises(InvalidOption, match="1, 2 or 3 dimensions"):
        fields(1, (2, 2, 2, 2), spectrum="reference")
    with pytest.raises(InvalidOption, match="decay must be"):
        fields(1, (4, 4), decay=-1.0)
