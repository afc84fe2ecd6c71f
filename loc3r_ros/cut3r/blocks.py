# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The transformer blocks. All have learned layer norms (eps 1e-6), biases and exact GELU."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.cut3r.config import NORM_EPS
from loc3r_ros.cut3r.rope import Rope, rotate


def layer_norm(dim: int) -> nn.LayerNorm:
    return nn.LayerNorm(dim, eps=NORM_EPS)


class Linear(nn.Linear):
    """A product in the precision of its weights, whatever the input has.

    With narrow weights, norms and sums thus stay in float32, and only products are narrow.
    """

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.to(self.weight.dtype), self.weight, self.bias)


class Mlp(nn.Module):
    """Linear, GELU, Linear, with a hidden layer `ratio` times as wide as the input."""

    def __init__(self, dim: int, ratio: int, out_dim: int | None = None) -> None:
        super().__init__()
        self.fc1 = Linear(dim, ratio * dim)
        self.fc2 = Linear(ratio * dim, out_dim or dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(x)))


def _split(x: Tensor, heads: int) -> Tensor:
    """(B, T, C) to (B, heads, T, C / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _merge(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Multi-head attention of tokens to each other.

    Attributes:
        half_rounding: round q and k to IEEE half before the rotation and again after it, as the
            published image encoder does.
    """

    def __init__(self, dim: int, heads: int, half_rounding: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.half_rounding = half_rounding
        self.qkv = Linear(dim, 3 * dim)
        self.proj = Linear(dim, dim)

    def forward(self, x: Tensor, rope: Rope | None) -> Tensor:
        if x.shape[1] == 1:
            # The softmax over a single key is exactly 1: only the value matters.
            dim = self.proj.in_features
            weight, bias = self.qkv.weight[2 * dim :], self.qkv.bias[2 * dim :]
            return self.proj(functional.linear(x.to(weight.dtype), weight, bias))
        q, k, v = (_split(part, self.heads) for part in self.qkv(x).chunk(3, -1))
        if rope is not None:
            q, k = self._rotate(q, rope), self._rotate(k, rope)
        return self.proj(_merge(functional.scaled_dot_product_attention(q, k, v)))

    def _rotate(self, x: Tensor, rope: Rope) -> Tensor:
        return rotate(x.half(), rope).to(x.dtype) if self.half_rounding else rotate(x, rope)


class CrossAttention(nn.Module):
    """Multi-head attention of tokens x to tokens y."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.projq = Linear(dim, dim)
        self.projk = Linear(dim, dim)
        self.projv = Linear(dim, dim)
        self.proj = Linear(dim, dim)

    def forward(
        self, x: Tensor, y: Tensor, rope_x: Rope | None, rope_y: Rope | None, align: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Returns:
            The update of x, and with `align` also each x token's score (B, T): the mean over heads
            and over the tokens of y of q.k / sqrt(d), by way of the mean key.
        """
        if y.shape[1] == 1 and not align:
            # The softmax over a single key is exactly 1: every x token gets the same value.
            return self.proj(self.projv(y)), None
        q, k, v = (
            _split(part, self.heads) for part in (self.projq(x), self.projk(y), self.projv(y))
        )
        if rope_x is not None and rope_y is not None:
            q, k = rotate(q, rope_x), rotate(k, rope_y)
        out = self.proj(_merge(functional.scaled_dot_product_attention(q, k, v)))
        if not align:
            return out, None
        score = (q * k.mean(2, keepdim=True)).sum(-1).mean(1) / q.shape[-1] ** 0.5
        return out, score


class EncoderBlock(nn.Module):
    """Self-attention and MLP."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int, half_rounding: bool = False) -> None:
        super().__init__()
        self.norm1 = layer_norm(dim)
        self.attn = SelfAttention(dim, heads, half_rounding)
        self.norm2 = layer_norm(dim)
        self.mlp = Mlp(dim, mlp_ratio)

    def forward(self, x: Tensor, rope: Rope | None) -> Tensor:
        x = x + self.attn(self.norm1(x), rope)
        return x + self.mlp(self.norm2(x))


class DecoderBlock(nn.Module):
    """Self-attention, cross-attention to another stream, MLP. The other stream is not changed."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = layer_norm(dim)
        self.attn = SelfAttention(dim, heads)
        self.norm2 = layer_norm(dim)
        self.norm_y = layer_norm(dim)
        self.cross_attn = CrossAttention(dim, heads)
        self.norm3 = layer_norm(dim)
        self.mlp = Mlp(dim, mlp_ratio)

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        rope_x: Rope | None = None,
        rope_y: Rope | None = None,
        align: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Update x, and with `align` give the score of `CrossAttention`."""
        x = x + self.attn(self.norm1(x), rope_x)
        update, score = self.cross_attn(self.norm2(x), self.norm_y(y), rope_x, rope_y, align)
        x = x + update
        return x + self.mlp(self.norm3(x)), score


class ModulatedNorm(nn.Module):
    """A layer norm whose output the camera token shifts and scales."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = layer_norm(dim)
        self.mlp = nn.Sequential(nn.SiLU(), Linear(dim, 2 * dim))

    def forward(self, x: Tensor, camera: Tensor) -> Tensor:
        shift, scale = self.mlp(camera).chunk(2, -1)
        return self.norm(x) * (1 + scale) + shift


class ModulatedBlock(nn.Module):
    """An encoder block that the camera token (B, 1, C) modulates."""

    def __init__(self, dim: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.norm1 = ModulatedNorm(dim)
        self.attn = SelfAttention(dim, heads)
        self.norm2 = ModulatedNorm(dim)
        self.mlp = Mlp(dim, mlp_ratio)

    def forward(self, x: Tensor, camera: Tensor, rope: Rope) -> Tensor:
        x = x + self.attn(self.norm1(x, camera), rope)
        return x + self.mlp(self.norm2(x, camera))
