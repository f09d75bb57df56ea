"""The noise against SplitMix64's published answers, plain integers, and statistics with fixed seeds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from py_backend.noise import (
    GAMMA,
    MODULE_SEED_LAYER,
    KeyedDropout,
    StepNoise,
    attach,
    bounded,
    derive,
    signed,
    splitmix64,
    splitmix64_array,
    step_keys,
    words,
)

# The first outputs for seed 1234567, as published with the generator (Vigna, splitmix64.c; Rosetta Code).
SEED = 1234567
ANSWERS = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]
ALL_BITS = (1 << 64) - 1


def plain(key: int, place: int, count: int, j: int) -> int:
    """Word j of a sample, straight from the definition: the sequence of seed `key` at position place·count + j."""
    z = (key + (place * count + j + 1) * 0x9E3779B97F4A7C15) & ALL_BITS
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & ALL_BITS
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & ALL_BITS
    return z ^ (z >> 31)


def key_tensor(key: int) -> Tensor:
    return torch.tensor(signed(key), dtype=torch.int64)


def unsigned(tensor: Tensor) -> list[list[int]]:
    return tensor.numpy().view(np.uint64).tolist()


def test_known_answers_of_the_plain_function() -> None:
    assert [splitmix64(SEED + (i + 1) * GAMMA) for i in range(5)] == ANSWERS


def test_known_answers_of_the_tensor_form_however_it_is_cut() -> None:
    assert unsigned(words(key_tensor(SEED), torch.tensor([0]), 5)) == [ANSWERS]
    assert unsigned(words(key_tensor(SEED), torch.arange(5), 1)) == [[answer] for answer in ANSWERS]
    assert unsigned(words(key_tensor(SEED), torch.tensor([1]), 2)) == [ANSWERS[2:4]]


@pytest.mark.parametrize("key", [0, 1, SEED, 1 << 63, (1 << 63) - 1, ALL_BITS, GAMMA, ALL_BITS - GAMMA + 1])
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_the_tensor_form_equals_plain_integers(key: int, count: int) -> None:
    places = [0, 1, 2, 511, 2**31, 2**40]
    seen = unsigned(words(key_tensor(key), torch.tensor(places), count))
    assert seen == [[plain(key, place, count, j) for j in range(count)] for place in places]


@pytest.mark.parametrize("value", [0, 1, -1, 1 << 63, ALL_BITS, 1 << 64, -(1 << 63)])
def test_signed_keeps_the_64_bits(value: int) -> None:
    assert -(1 << 63) <= signed(value) < 1 << 63
    assert signed(value) & ALL_BITS == value & ALL_BITS


@pytest.mark.parametrize("steps", [1, 4, 40])
def test_step_keys_are_derived_from_seed_step_and_layer(steps: int) -> None:
    keys = step_keys(seed=3, first_step=2**32 - 2, steps=steps, layers=3).layers
    assert keys.shape == (steps, 3)
    for step, layer in itertools.product(range(steps), range(3)):
        assert int(keys[step, layer]) & ALL_BITS == derive(3, 2**32 - 2 + step, layer)


def test_known_answers_of_the_array_form() -> None:
    states = np.array([(SEED + (i + 1) * GAMMA) & ALL_BITS for i in range(5)], np.uint64)
    assert splitmix64_array(states).tolist() == ANSWERS


@pytest.mark.parametrize("seed", [0, 3, 2**32 - 1])
@pytest.mark.parametrize("first_step", [0, 2**32 - 2])
@pytest.mark.parametrize("steps", [3, 30])
def test_module_seeds_are_derived_from_seed_and_step(seed: int, first_step: int, steps: int) -> None:
    expected = [derive(seed, first_step + step, MODULE_SEED_LAYER) for step in range(steps)]
    assert step_keys(seed, first_step, steps, layers=2).modules == expected


def test_keys_cost_no_python_function_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr("py_backend.noise.splitmix64", lambda state: calls.append(state) or 0)
    step_keys(seed=1, first_step=0, steps=1000, layers=4)
    assert len(calls) <= 4


def test_derive_mixes_each_part_into_the_first_word_of_the_key_so_far() -> None:
    for parts in ((), (0,), (7, 2**32), (SEED, 0, 3)):
        key = 0
        for part in parts:
            key = plain(plain(key, 0, 1, 0), part, 1, 0)
        assert derive(*parts) == key


def test_keys_of_other_places_differ() -> None:
    small = {derive(seed, step, layer) for seed, step, layer in itertools.product(range(20), range(20), range(5))}
    assert len(small) == 20 * 20 * 5
    assert derive(0, 1) != derive(1, 0)
    assert derive(0) != derive(0, 0) != derive(0, 0, 0)


def test_the_sequences_of_neighbouring_keys_do_not_overlap() -> None:
    """SplitMix64 has one sequence: keys that lay close on it would give shifted copies of the same noise."""
    keys = [derive(seed, step, layer) for seed, step, layer in itertools.product(range(6), range(6), range(3))]
    drawn = [word for key in keys for word in unsigned(words(key_tensor(key), torch.tensor([0]), 200))[0]]
    assert len(drawn) == 108 * 200 == len(set(drawn))


# --- bounded

# Bounds that chi-square leaves once in 10^5 on the upper side, by degrees of freedom.
CHI_SQUARE_TOP = {1: 19.5, 2: 23.0, 4: 28.5, 8: 37.3, 128: 206.0}


@pytest.mark.parametrize("bound", [2, 3, 5, 9, 129])
def test_bounded_is_uniform(bound: int) -> None:
    draws = bounded(words(key_tensor(derive(0, bound)), torch.arange(20_000), 3), bound).flatten()
    counts = torch.bincount(draws, minlength=bound).double()
    assert len(counts) == bound
    expected = len(draws) / bound
    assert float(((counts - expected) ** 2 / expected).sum()) < CHI_SQUARE_TOP[bound - 1]


@pytest.mark.parametrize("bound", [1, 2, 3, 129])
def test_bounded_is_the_high_half_scaled(bound: int) -> None:
    raw = [0, 1, ALL_BITS, 1 << 63, (1 << 63) - 1, 0xFFFFFFFF, 1 << 32, *ANSWERS]
    seen = bounded(torch.tensor([signed(word) for word in raw]), bound).tolist()
    assert seen == [((word >> 32) * bound) >> 32 for word in raw]


def test_bounded_leaves_the_words_alone() -> None:
    random = words(key_tensor(1), torch.arange(4), 3)
    before = random.clone()
    bounded(random, 5)
    assert torch.equal(random, before)


# --- dropout


def make(p: float, *, layers: int = 1) -> tuple[nn.Module, StepNoise]:
    model = nn.Sequential(*(KeyedDropout(p) for _ in range(layers)))
    noise = StepNoise()
    attach(model, noise)
    return model, noise


def mask(
    x: Tensor, p: float = 0.5, *, seed: int = 1, step: int = 0, layer: int = 1, places: Tensor | None = None
) -> Tensor:
    model, noise = make(p, layers=layer)
    keys = torch.from_numpy(step_keys(seed, step, 1, layer + 1).layers)[0]
    noise.set(keys, torch.arange(len(x)) if places is None else places)
    result: Tensor = model[layer - 1](x)
    return result


def test_the_mask_equals_the_definition_byte_by_byte() -> None:
    p, shape = 0.3, (3, 5, 2, 4)
    seen = mask(torch.ones(shape), p, seed=9, step=4)
    key = derive(9, 4, 1)
    _, channels, height, width = shape
    size = channels * height * width
    count = -(-size // 8)
    threshold = round(p * 256)
    for n, c, h, w in itertools.product(*map(range, shape)):
        position = (h * width + w) * channels + c
        byte = plain(key, n, count, position // 8) >> 8 * (position % 8) & 0xFF
        kept = 256 / (256 - threshold) if byte >= threshold else 0
        assert float(seen[n, c, h, w]) == pytest.approx(kept)


@pytest.mark.parametrize("p", [0.3, 0.5, 1 / 256, 0.99])
def test_frequency_and_scale(p: float) -> None:
    layer = KeyedDropout(p)
    assert layer.probability == round(p * 256) / 256
    seen = mask(torch.ones(500, 1000), p)
    kept = float((seen != 0).double().mean())
    spread = (layer.probability * (1 - layer.probability) / seen.numel()) ** 0.5
    assert abs(kept - (1 - layer.probability)) < 5 * spread
    values = set(seen.unique().tolist())
    assert values == {0.0, float(torch.tensor(1 / (1 - layer.probability)))}
    # Exact expectation: probability of keeping × scale, in float64.
    assert (1 - layer.probability) * (256 / (256 - layer.threshold)) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("p", [0.3, 0.5, 77 / 256, 0.9])
def test_bfloat16_is_scaled_by_the_scale_and_rounded_once(p: float) -> None:
    x = torch.randn(64, 96).bfloat16().requires_grad_()
    seen = mask(x, p)
    scale = 256 / (256 - round(p * 256))
    kept = (mask(torch.ones(64, 96), p) != 0).double()
    assert seen.dtype == torch.bfloat16
    assert torch.equal(seen, (x.double() * kept * scale).bfloat16())
    seen.sum().backward()
    assert torch.equal(x.grad, (kept * scale).bfloat16())


def test_every_byte_value_is_as_frequent() -> None:
    drawn = words(key_tensor(derive(5)), torch.arange(1000), 64).view(torch.uint8).flatten()
    counts = torch.bincount(drawn.long(), minlength=256).double()
    expected = len(drawn) / 256
    statistic = float(((counts - expected) ** 2 / expected).sum())
    assert 170 < statistic < 360  # 255 degrees of freedom, about 1 in 10^5 on either side


def test_p_of_zero_and_evaluation_mode_are_the_identity() -> None:
    x = torch.randn(4, 6)
    assert make(0.0)[0](x) is x
    assert make(0.5)[0].eval()(x) is x


@pytest.mark.parametrize("p", [-0.1, 1.0, 0.999])
def test_p_outside_of_its_range_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"outside of 0 … 255/256"):
        KeyedDropout(p)


def test_bits_do_not_depend_on_the_memory_format() -> None:
    x = torch.randn(6, 5, 7, 3)
    assert torch.equal(mask(x), mask(x.to(memory_format=torch.channels_last)))


def test_the_mask_is_channels_last_as_its_input() -> None:
    x = torch.randn(6, 5, 7, 3).to(memory_format=torch.channels_last)
    assert mask(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(7, 33), (7, 3, 5, 5)])
@pytest.mark.parametrize("micro", [1, 2, 3])
def test_bits_do_not_depend_on_micro_batches(shape: tuple[int, ...], micro: int) -> None:
    x = torch.randn(shape)
    parts = [mask(x[at : at + micro], places=torch.arange(at, min(at + micro, 7))) for at in range(0, 7, micro)]
    assert torch.equal(torch.cat(parts), mask(x))


def test_bits_do_not_depend_on_the_other_samples() -> None:
    x = torch.randn(8, 40)
    others = x.clone()
    others[:5] = 0.5
    assert torch.equal(mask(x)[5:], mask(others)[5:])
    assert torch.equal(mask(x[:3]), mask(x)[:3])


def test_each_seed_step_layer_and_place_has_bits_of_its_own() -> None:
    ones = torch.ones(4, 64)
    base = mask(ones)
    masks = [base, mask(ones, seed=2), mask(ones, step=1), mask(ones, layer=2)]
    rows = torch.cat(masks)
    assert len(rows.unique(dim=0)) == len(rows)


def test_seed_0_step_1_is_not_seed_1_step_0() -> None:
    ones = torch.ones(4, 64)
    assert not torch.equal(mask(ones, seed=0, step=1), mask(ones, seed=1, step=0))


def test_the_gradient_is_the_mask() -> None:
    x = torch.randn(5, 12, requires_grad=True)
    mask(x).sum().backward()
    assert torch.equal(x.grad, mask(torch.ones(5, 12)))


def test_attach_numbers_the_layers_from_1() -> None:
    model = nn.Sequential(KeyedDropout(0.1), nn.Sequential(nn.ReLU(), KeyedDropout(0.2)), KeyedDropout(0.3))
    layers = attach(model, StepNoise())
    assert [(layer.layer, layer.threshold) for layer in layers] == [(1, 26), (2, 51), (3, 77)]


def test_dropout_without_noise_says_what_to_call() -> None:
    with pytest.raises(RuntimeError, match=r"noise\.attach"):
        KeyedDropout(0.5)(torch.ones(1, 1))
    with pytest.raises(RuntimeError, match=r"StepNoise\.set"):
        make(0.5)[0](torch.ones(1, 1))
