"""Merges of features and their gradients against loops over examples."""

import numpy as np
import pytest
from support import NUMBERS, filled, same_bits, texts

import sylvite

IDS = [11, 12, 13]
B = 17


def batch(dtype, seed=0, strings=False):
    """Three inputs of one list feature each."""
    rng = np.random.default_rng(seed)
    lengths = [rng.integers(0, 4, B).astype("int32") for _ in IDS]
    presence = [rng.integers(0, 2, B).astype(bool) for _ in IDS]
    counts = [int((n * p).sum()) for n, p in zip(lengths, presence)]
    make = texts if strings else lambda shape, s: filled(dtype, shape, s)
    values = [make((count,), s) for s, count in enumerate(counts)]
    keys = [rng.integers(0, 99, count) for count in counts]
    return lengths, presence, keys, values


def join(parts, dtype):
    return np.array([v for part in parts for v in part], dtype) if parts else np.empty(0, dtype)


def merged(lengths, presence, columns):
    """lengths, keys, values_lengths and the merged columns."""
    counts, keys, inner = [], [], []
    out = [[] for _ in columns]
    at = [0] * len(IDS)
    for b in range(B):
        counts.append(sum(bool(p[b]) for p in presence))
        for f, key in enumerate(IDS):
            if not presence[f][b]:
                continue
            n = int(lengths[f][b])
            keys.append(key)
            inner.append(n)
            for column, result in zip(columns, out):
                result.extend(column[f][at[f] : at[f] + n])
            at[f] += n
    results = [np.array(counts, "int32"), np.array(keys, "int64"), np.array(inner, "int32")]
    for column, result in zip(columns, out):
        array = np.empty(len(result), column[0].dtype)
        array[:] = result
        results.append(array)
    return results


def equal(got, want):
    return all(a.dtype == b.dtype and a.tolist() == b.tolist() if a.dtype == object else same_bits(a, b)
               for a, b in zip(got, want, strict=True))


@pytest.mark.parametrize("dtype", [*NUMBERS, object], ids=str)
def test_lists_and_maps(dtype):
    lengths, presence, keys, values = batch(dtype, strings=dtype is object)
    got = sylvite.merge_single_list(lengths, values, presence, feature_ids=IDS)
    assert isinstance(got, tuple)
    want = merged(lengths, presence, [values])
    assert equal(got, want)
    got = sylvite.merge_single_map(
        lengths=lengths, keys=keys, values=values, presence=presence, feature_ids=np.array(IDS))
    assert equal(got, merged(lengths, presence, [keys, values]))
    # One input of many features is merged into itself.
    one = sylvite.merge_multi_list(*([column] for column in want))
    assert equal(one, want)
    gradient = sylvite.merge_single_list_gradient(lengths, presence, dvalues=want[3])
    assert isinstance(gradient, list) and equal(gradient, values)
    assert equal(sylvite.merge_single_map_gradient(lengths, presence, dvalues=want[3]), values)
    back = sylvite.merge_multi_list_gradient([want[0]], [want[2]], dvalues=want[3])
    assert equal(back, [want[3]])
    assert equal(sylvite.merge_multi_map_gradient([want[0]], [want[2]], want[3]), [want[3]])


@pytest.mark.parametrize("dtype", [*NUMBERS, object], ids=str)
def test_scalars(dtype):
    rng = np.random.default_rng(3)
    presence = [rng.integers(0, 2, B).astype(bool) for _ in IDS]
    values = [texts((B,), s) if dtype is object else filled(dtype, (B,), s) for s in range(3)]
    ones = [np.ones(B, "int32")] * 3
    present = [v[p] for v, p in zip(values, presence)]
    counts, keys, _, flat = merged(ones, presence, [present])
    got = sylvite.merge_single_scalar(values=values, presence=presence, feature_ids=IDS)
    assert equal(got, [counts, keys, flat])
    data, dense_presence = np.stack(values, 1), np.stack(presence, 1)
    assert equal(sylvite.merge_dense(data, dense_presence, feature_ids=IDS), [counts, keys, flat])
    twice = sylvite.merge_multi_scalar([counts] * 2, [keys] * 2, [flat] * 2)
    assert twice[0].tolist() == (2 * counts).tolist() and len(twice[2]) == 2 * len(flat)
    parts = sylvite.merge_multi_scalar_gradient([counts] * 2, twice[2])
    assert equal(parts, [flat, flat])
    if dtype is object:
        return
    zeros = [np.where(p, v, np.zeros((), v.dtype)) for v, p in zip(values, presence)]
    assert equal(sylvite.merge_single_scalar_gradient(presence, dvalues=flat), zeros)
    ddata = sylvite.merge_dense_gradient(dense_presence, flat)
    assert same_bits(ddata, np.stack(zeros, 1))


def test_maps_of_many_features():
    lengths, presence, keys, values = batch("float32")
    maps = merged(lengths, presence, [keys, values])
    got = sylvite.merge_multi_map(*([column, column] for column in maps))
    half = sylvite.merge_multi_map(
        lengths=[maps[0]], keys=[maps[1]], values_lengths=[maps[2]], values_keys=[maps[3]],
        values_values=[maps[4]])
    assert equal(half, maps) and got[4].size == 2 * maps[4].size


def test_out():
    lengths, presence, _, values = batch("float32")
    want = sylvite.merge_single_list(lengths, values, presence, IDS)
    out = tuple(np.empty_like(a) for a in want)
    assert sylvite.merge_single_list(lengths, values, presence, IDS, out=out) is out
    assert equal(out, want)
    dinputs = [np.empty_like(v) for v in values]
    assert sylvite.merge_single_list_gradient(lengths, presence, want[3], out=dinputs) is dinputs
    assert equal(dinputs, values)
    lengths, presence, _, values = batch(object, strings=True)
    want = sylvite.merge_single_list(lengths, values, presence, IDS)
    out = tuple(np.empty_like(a) for a in want)
    sylvite.merge_single_list(lengths, values, presence, IDS, out=out)
    assert equal(out, want)


def test_rejects():
    lengths, presence, _, values = batch("float32")
    merge = sylvite.merge_single_list
    with pytest.raises(sylvite.InvalidArgument, match="feature_ids"):
        merge(lengths, values, presence, [1])
    with pytest.raises(sylvite.InvalidArgument, match="3 lengths and 2 values"):
        merge(lengths, values[:2], presence, IDS)
    with pytest.raises(sylvite.InvalidArgument, match="MergeSingleListFeatureTensors|merge_single_list"):
        merge(lengths, [v[:-1] for v in values], presence, IDS)
    with pytest.raises(sylvite.InvalidArgument, match="lengths_1"):
        merge([lengths[0].astype("int64"), *lengths[1:]], values, presence, IDS)
    with pytest.raises(sylvite.InvalidArgument, match="presence_2"):
        merge(lengths, values, [presence[0], presence[1][:3], presence[2]], IDS)
    with pytest.raises(sylvite.InvalidArgument):
        merge([], [], [], [])
    with pytest.raises(sylvite.InvalidArgument, match="2 arrays in out, want 4"):
        merge(lengths, values, presence, IDS, out=(lengths[0], lengths[0]))
    with pytest.raises(TypeError, match="merge_single_list: values_2 is a list"):
        merge(lengths, [values[0], [1.0], values[2]], presence, IDS)
    with pytest.raises(TypeError):
        merge(lengths, values, presence, None)
    with pytest.raises(TypeError):
        merge(lengths, values, presence, IDS, out=values[0])
