# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R for inference on a CPU: products packed once for oneDNN, in bfloat16 where the CPU has it.

What each step brings was measured, see engines/NOTES.md. The numbers of the outputs are those of
the plain modules but for rounding.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.cut3r.blocks import CrossAttention, Mlp, SelfAttention
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.cut3r.rope import Rope, channel_pairs


def can_pack() -> bool:
    """Whether this PyTorch has the packed products of oneDNN."""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, '_linear_pointwise')


def has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 itself, twice as fast as float32 or more."""
    try:
        flags = set(Path('/proc/cpuinfo').read_text().split())
    except OSError:
        return False
    return bool(flags & {'avx512_bf16', 'amx_bf16', 'bf16'})  # the last: of arm64


def packed(model: Cut3r, dtype: torch.dtype) -> Cut3r:
    """A model of the same numbers, for inference only; the given one is left as it is.

    Args:
        model: in float32, on the CPU.
        dtype: of the products, but those of the heads: float32 or bfloat16.
    """
    with torch.device('meta'):
        copy = Cut3r(model.config)
    copy.load_state_dict(model.state_dict(), assign=True)
    copy.eval().set_precision(dtype)
    with torch.no_grad():
        for name, child in copy.named_children():
            if name != 'downstream_head':
                _pack_inside(child, dtype)
    return copy


def _pack_inside(parent: nn.Module, dtype: torch.dtype) -> None:
    for name, child in list(parent.named_children()):
        if isinstance(child, SelfAttention):
            setattr(parent, name, PackedSelfAttention(child, dtype))
        elif isinstance(child, CrossAttention):
            setattr(parent, name, PackedCrossAttention(child, dtype))
        elif isinstance(child, Mlp):
            setattr(parent, name, PackedMlp(child, dtype))
        else:
            _pack_inside(child, dtype)


class PackedLinear(nn.Module):
    """A product whose weights lie as oneDNN reads them; `gelu` is taken on the way."""

    def __init__(
        self, weight: Tensor, bias: Tensor, dtype: torch.dtype, activation: str = 'none'
    ) -> None:
        super().__init__()
        self.dtype = dtype
        self.activation = activation
        narrow = weight.detach().to(dtype).contiguous()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(narrow, None)
        self.bias = bias.detach().to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        narrow = x.to(self.dtype)
        pointwise = torch.ops.mkldnn._linear_pointwise
        return pointwise(narrow, self.weight, self.bias, self.activation, [], 'none')


class PackedMlp(nn.Module):
    """`Mlp`, its exact GELU fused with the first product."""

    def __init__(self, mlp: Mlp, dtype: torch.dtype) -> None:
        super().__init__()
        self.fc1 = PackedLinear(mlp.fc1.weight, mlp.fc1.bias, dtype, 'gelu')
        self.fc2 = PackedLinear(mlp.fc2.weight, mlp.fc2.bias, dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(x))


class PackedSelfAttention(nn.Module):
    """`SelfAttention`, its q and k rotated at once as complex numbers."""

    def __init__(self, plain: SelfAttention, dtype: torch.dtype) -> None:
        super().__init__()
        self.heads = plain.heads
        self.dim = dim = plain.proj.in_features
        self.half_rounding = plain.half_rounding and dtype == torch.float32
        weight, bias = plain.qkv.weight, plain.qkv.bias
        pairs = channel_pairs(dim, self.heads)
        order = torch.cat([pairs, dim + pairs, torch.arange(2 * dim, 3 * dim)])
        self.qkv = PackedLinear(weight[order], bias[order], dtype)
        self.value = PackedLinear(weight[2 * dim :], bias[2 * dim :], dtype)
        self.proj = PackedLinear(plain.proj.weight, plain.proj.bias, dtype)

    def forward(self, x: Tensor, rope: Rope | None) -> Tensor:
        if x.shape[1] == 1:
            # The softmax over a single key is exactly 1: only the value matters.
            return self.proj(self.value(x))
        qk, v = self.qkv(x).split((2 * self.dim, self.dim), -1)
        qk = _heads(qk, 2 * self.heads)
        if rope is not None and self.half_rounding:
            qk = turned(qk.half(), rope).to(qk.dtype)
        elif rope is not None:
            qk = turned(qk, rope)
        q, k = qk.chunk(2, 2)
        return self.proj(_attended(q, k, _heads(v, self.heads)))


class PackedCrossAttention(nn.Module):
    """`CrossAttention`, its k and v of one product."""

    def __init__(self, plain: CrossAttention, dtype: torch.dtype) -> None:
        super().__init__()
        self.heads = plain.heads
        self.dim = dim = plain.proj.in_features
        pairs = channel_pairs(dim, self.heads)
        q, k, v = plain.projq, plain.projk, plain.projv
        self.projq = PackedLinear(q.weight[pairs], q.bias[pairs], dtype)
        self.projkv = PackedLinear(
            torch.cat([k.weight[pairs], v.weight]), torch.cat([k.bias[pairs], v.bias]), dtype
        )
        self.projv = PackedLinear(v.weight, v.bias, dtype)
        self.proj = PackedLinear(plain.proj.weight, plain.proj.bias, dtype)

    def forward(
        self, x: Tensor, y: Tensor, rope_x: Rope | None, rope_y: Rope | None, align: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        if y.shape[1] == 1 and not align:
            return self.proj(self.projv(y)), None
        q = _heads(self.projq(x), self.heads)
        k, v = (_heads(part, self.heads) for part in self.projkv(y).chunk(2, -1))
        if rope_x is not None and rope_y is not None:
            q, k = turned(q, rope_x), turned(k, rope_y)
        out = self.proj(_attended(q, k, v))
        if not align:
            return out, None
        score = (q.float() * k.float().mean(1, keepdim=True)).sum(-1).mean(2)
        return out, score / q.shape[-1] ** 0.5


def _heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, C) to (B, T, heads, C / heads)."""
    return x.unflatten(-1, (heads, -1))


def _attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention of heads (B, T, heads, d), merged to (B, T, C)."""
    q, k, v = (part.transpose(1, 2) for part in (q, k, v))
    return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def turned(x: Tensor, rope: Rope) -> Tensor:
    """Rotate heads (B, T, heads, d), whose pairs lie side by side; the dtype of x is kept."""
    table = torch.complex(rope.cos, rope.sin).flatten(1)[:, None]
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * table).flatten(-2).to(x.dtype)
