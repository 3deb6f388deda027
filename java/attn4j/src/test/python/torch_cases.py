# SPDX-License-Identifier: Apache-2.0
"""Cases of nn.MultiheadAttention for ConformanceTest, computed by PyTorch in float64 from float32 numbers.

    python torch_cases.py ../resources/conformance/torch        needs torch, numpy, safetensors

A query that sees no key gives NaN there and 0 here: those rows are written as the output projection's bias, weights 0.
"""
import itertools
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

HEADS, WIDTH, BATCH, QUERIES, KEYS = 3, 12, 2, 4, 5


def padding_mask(kind, keys):
    if kind is None:
        return None
    hidden = torch.zeros(BATCH, keys, dtype=torch.bool)
    hidden[0, keys - 2:] = True
    hidden[1, 0] = True
    if kind == "full":
        hidden[1] = True
    return torch.randn(BATCH, keys) if kind == "float" else hidden


def pairs_mask(kind, queries, keys):
    if kind is None:
        return None
    if kind == "float":
        mask = torch.randn(queries, keys)
        mask[1, 2] = -torch.inf
        return mask
    if kind == "float_heads":
        return torch.randn(BATCH * HEADS, queries, keys)
    rows, columns = torch.arange(queries)[:, None], torch.arange(keys)[None]
    if kind == "causal":
        return columns > rows
    hidden = (columns + rows) % 3 == 1
    if kind == "bool":
        return hidden
    shift = torch.arange(BATCH * HEADS)[:, None, None]
    return (columns[None] + rows[None] + shift) % 3 == 1


def case(folder, name, *, padding=None, pairs=None, causal=False, own=False, kdim=None, vdim=None, bias=True,
         bias_kv=False, zero=False, average=True, batch_first=True, need_weights=True, batched=True):
    torch.manual_seed(len(name) + sum(map(ord, name)))
    options = dict(bias=bias, kdim=kdim, vdim=vdim, add_bias_kv=bias_kv, add_zero_attn=zero, batch_first=batch_first)
    module = torch.nn.MultiheadAttention(WIDTH, HEADS, **options)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    keys = QUERIES if own else KEYS
    shape = (lambda n, width: (BATCH, n, width) if batch_first else (n, BATCH, width)) if batched else \
        (lambda n, width: (n, width))
    query = torch.randn(shape(QUERIES, WIDTH))
    key = query if own else torch.randn(shape(keys, kdim or WIDTH))
    value = query if own else torch.randn(shape(keys, vdim or WIDTH))
    hidden, masked = padding_mask(padding, keys), pairs_mask("causal" if causal else pairs, QUERIES, keys)
    if not batched and hidden is not None:
        hidden = hidden[0]
    tensors = {"in.query": query} if own else {"in.query": query, "in.key": key, "in.value": value}
    tensors.update({"param." + n: p.detach().clone() for n, p in module.named_parameters()})
    if hidden is not None:
        tensors["in.key_padding_mask"] = hidden.clone()
    if masked is not None and not causal:
        tensors["in.attn_mask"] = masked
    double = lambda t: t.double() if t is not None and t.is_floating_point() else t
    module = module.double()
    y, weights = module(query.double(), key.double(), value.double(), key_padding_mask=double(hidden),
                        attn_mask=double(masked), need_weights=True, average_attn_weights=average)
    if masked is None or masked.ndim == 2:  # a row that sees nothing does so in every head
        nothing = torch.zeros(WIDTH) if not bias else module.out_proj.bias.detach()
        y = torch.where(y.isnan(), nothing.double(), y)
        weights = weights.nan_to_num(0)
    assert not y.isnan().any() and not weights.isnan().any(), name
    tensors["out.y"] = y.detach().float()
    if need_weights:
        tensors["out.weights"] = weights.detach().float()
    attributes = dict(embed_dim=WIDTH, num_heads=HEADS, average_attn_weights=average, is_causal=causal, dtype="F32",
                      **options)
    metadata = dict(op="nn.MultiheadAttention", attributes=json.dumps(attributes), rtol="2e-5", atol="2e-5")
    save_file({n: t.contiguous() for n, t in tensors.items()}, folder / f"torch_mha_{name}.safetensors", metadata)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    every = itertools.product((None, "bool", "float"), (None, "bool", "float"), (False, True))
    for padding, pairs, extra in every:
        name = f"padding_{padding}_pairs_{pairs}" + ("_extra" if extra else "")
        case(folder, name, padding=padding, pairs=pairs, bias_kv=extra, zero=extra, average=not extra)
    case(folder, "heads_bool", pairs="bool_heads", padding="bool", average=False)
    case(folder, "heads_float", pairs="float_heads", padding="float", bias_kv=True)
    case(folder, "heads_float_alone", pairs="float_heads", average=False)
    case(folder, "self", own=True)
    case(folder, "self_sequence_first", own=True, batch_first=False, padding="bool", average=False)
    case(folder, "self_causal", own=True, causal=True)
    case(folder, "self_causal_padded", own=True, causal=True, padding="bool")
    case(folder, "causal_extra", causal=True, bias_kv=True, zero=True, average=False)
    case(folder, "causal_sequence_first_zero", causal=True, zero=True, batch_first=False)
    case(folder, "full_padding", padding="full")
    case(folder, "full_padding_no_bias", padding="full", bias=False, average=False)
    case(folder, "full_padding_zero", padding="full", zero=True)
    case(folder, "kdim", kdim=7, padding="float", batch_first=False)
    case(folder, "vdim_bias_kv", vdim=17, bias_kv=True, pairs="bool")
    case(folder, "kdim_vdim_all", kdim=5, vdim=9, bias_kv=True, zero=True, padding="bool", pairs="float",
         batch_first=False, average=False)
    case(folder, "kdim_vdim_no_bias", kdim=5, vdim=9, bias=False, zero=True)
    case(folder, "no_weights", need_weights=False, padding="bool", batch_first=False)
    case(folder, "no_weights_extra", need_weights=False, bias_kv=True, zero=True, pairs="float")
    case(folder, "unbatched", batched=False, padding="bool", pairs="float", average=False)
    case(folder, "unbatched_sequence_first_extra", batched=False, batch_first=False, bias_kv=True, zero=True)
    case(folder, "unbatched_self", batched=False, own=True, pairs="bool")


if __name__ == "__main__":
    main()
