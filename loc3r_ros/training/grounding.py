# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Words are taught to look at what they name, and to know where it is.

Loc3R-VLM begins with a language model that was taught so by billions of captions. The tiny one
would have to find out from whether a whole situation comes out right; here every name in every text
says which image tokens one layer should look at, and which place it is at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.geometry import Array, invert, transform
from loc3r_ros.training.layout import cell_middles
from loc3r_ros.vlm.config import VlmConfig
from loc3r_ros.vlm.model.decoder import rotate
from loc3r_ros.vlm.model.loc3r import Loc3rVlm
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.world.video import Footage

NOTHING = -1
"""Number of no name."""

EVERY = 4
"""One in so many pixels, along either side, tells where a thing is."""

SEEN = 12
"""So many of these must show it."""

SPREAD_M = 1.0
"""What lies farther from its own middle (rms), as floors do, is in no one place."""

Place = tuple[float, float]

NOWHERE: Place = (float('nan'), float('nan'))


class Named:
    """What a video shows, by its names in the order of the alphabet.

    Args:
        footage: the frames that are shown.
        names: category by instance number; 0, which is nothing, has none.
        T_map_bev: (4, 4) of the frame that places are told in.
    """

    def __init__(self, footage: Footage, names: Sequence[str], T_map_bev: Array) -> None:
        self.names = sorted({name for name in names if name})
        self._number = np.array(
            [self.names.index(name) if name else NOTHING for name in names], np.int64
        )
        self._footage = footage
        self.places = self._places(names, invert(T_map_bev))
        self.first = self._first()

    def cells(self, grid: int, covered: float) -> Tensor:
        """(F, grid^2) number of the name of what each cell shows."""
        middles = [cell_middles(image, grid, covered) for image in self._footage.instance]
        return torch.from_numpy(self._number[np.stack(middles)])

    def mark(self, words: Words, ids: Sequence[int]) -> tuple[list[int], list[Place]]:
        """For each token the number of the name that ends there, and where that thing is.

        The longest name counts: the `table` of `coffee table` is no table. Of a thing that is seen
        twice nobody can say where it is.
        """
        spelled = {name: words.encode(f' {name}') for name in self.names}
        named, places = [NOTHING] * len(ids), [NOWHERE] * len(ids)
        k = 0
        while k < len(ids):
            name = _longest(ids[k:], spelled)
            k += len(spelled[name]) if name else 1
            if name:
                named[k - 1] = self.names.index(name)
                places[k - 1] = self.places.get(name, NOWHERE)
        return named, places

    def _first(self) -> dict[str, float]:
        """In which frame each name is first seen, as a share of all frames."""
        first: dict[str, float] = {}
        for k, instance in enumerate(self._footage.instance):
            kinds = self._number[instance[::EVERY, ::EVERY]]
            for number in range(len(self.names)):
                if (kinds == number).sum() >= SEEN:
                    first.setdefault(self.names[number], k / len(self._footage.instance))
        return first

    def _places(self, names: Sequence[str], T_bev_map: Array) -> dict[str, Place]:
        """Where each thing is, the median of its points, of whose kind one is seen."""
        points: dict[int, list[NDArray[np.float64]]] = {}
        footage = self._footage
        frames = zip(footage.instance, footage.depth, footage.T_map_optical, strict=True)
        for instance, depth, T_map_optical in frames:
            shown, z = instance[::EVERY, ::EVERY], depth[::EVERY, ::EVERY].astype(np.float64)
            v, u = EVERY * np.mgrid[: shown.shape[0], : shown.shape[1]]
            there = np.isfinite(z) & (shown > 0)
            rays = footage.camera.normalise(np.stack([u, v], -1)[there].astype(np.float64))
            seen = np.concatenate([rays * z[there][:, None], z[there][:, None]], 1)
            flat = transform(T_bev_map @ T_map_optical, seen)[:, :2]
            for number in np.unique(shown[there]):
                points.setdefault(int(number), []).append(flat[shown[there] == number])
        whole = {k: np.concatenate(parts) for k, parts in points.items()}
        clear = [k for k, seen in whole.items() if len(seen) >= SEEN]
        kinds = [names[k] for k in clear]
        places = {}
        for k in clear:
            x, y = np.median(whole[k], 0).tolist()
            spread = np.square(whole[k] - (x, y)).sum(1).mean() ** 0.5
            if kinds.count(names[k]) == 1 and spread <= SPREAD_M:
                places[names[k]] = (x, y)
        return places


def _longest(ids: Sequence[int], spelled: Mapping[str, Sequence[int]]) -> str:
    """The name that `ids` begin with, the longest if several; empty if none."""
    fitting = [name for name, own in spelled.items() if list(ids[: len(own)]) == own]
    return max(fitting, key=lambda name: len(spelled[name]), default='')


def looking_layers(config: VlmConfig) -> range:
    """The layers whose first key head looks for what is named.

    Those of the first third tell patches where they lie; those of the last quarter make a pose of
    the places of words.
    """
    layers = config.text.layers
    return range(layers // 3, max(layers // 3 + 1, layers - layers // 4))


def asking_layers(config: VlmConfig) -> range:
    """The last third, whose last key head lets answers ask what is named."""
    layers = config.text.layers
    return range(layers - max(1, layers // 3), layers)


def placing_layers(config: VlmConfig) -> range:
    """The last half, where poses ask: what is asked for may depend on them."""
    layers = config.text.layers
    return range(layers - max(1, layers // 2), layers)


@contextmanager
def caught(modules: Sequence[nn.Module]) -> Iterator[list[list[Tensor]]]:
    """All that each of some modules gives in the meantime."""
    given: list[list[Tensor]] = [[] for _ in modules]

    def note(own: list[Tensor]) -> Callable[..., None]:
        return lambda _, __, output: own.append(output)

    handles = [
        module.register_forward_hook(note(own)) for module, own in zip(modules, given, strict=True)
    ]
    try:
        yield given
    finally:
        for handle in handles:
            handle.remove()


def finding(
    model: Loc3rVlm, queries: Tensor, start: int, keys: Tensor, named: Tensor, shown: Tensor
) -> tuple[Tensor, Tensor]:
    """Loss of names that look elsewhere, and what share of their attention goes to what they mean.

    Args:
        model: for its dimensions and RoPE.
        queries: (V, T, n, heads * d) of the tokens of each video's texts, as projected.
        start: position of the first token of a text.
        keys: (V, kv_heads, P, d) of what comes before the texts, rotated.
        named: int64 (V, T, n) number of the name that ends at a token.
        shown: int64 (V, P) number of the name of what each of these shows.

    Returns:
        Means over heads and names of the negative logarithm of that share, and of the share; 0
        where nothing is named.
    """
    head_dim = keys.shape[-1]
    groups = model.config.text.heads // model.config.text.kv_heads
    losses = []
    for query, key, number, cells in zip(queries, keys[:, 0], named, shown, strict=True):
        # Names whose thing no image token shows, since it lies between them, cannot be found.
        there = (number != NOTHING) & torch.isin(number, cells)
        text, token = there.nonzero(as_tuple=True)
        asked = query[text, token].unflatten(-1, (-1, head_dim))[:, :groups]
        turned = _turned(model, asked, start + token).transpose(0, 1)
        scores = turned @ key.float().T / head_dim**0.5
        right = cells == number[there][:, None]
        losses.append(
            -scores.log_softmax(-1).masked_fill(~right, -torch.inf).logsumexp(-1).flatten()
        )
    loss = torch.cat(losses)
    if not len(loss):
        return loss.sum(), loss.sum()
    return loss.mean(), (-loss.detach()).exp().mean()


def asking(
    model: Loc3rVlm,
    queries: Tensor,
    keys: Tensor,
    before: Tensor,
    named: Tensor,
    askers: Tensor,
) -> Tensor:
    """Loss of tokens that ask others than the words that name something.

    Which of these tells a place, a heading or an answer, they learn from it: but not before they
    look there at all.

    Args:
        model: for its dimensions and RoPE.
        queries: (V, T, n, heads * d) of the tokens of each video's texts, as projected.
        keys: (V, T, n, kv_heads * d) of the same, as projected.
        before: (V, kv_heads, P, d) keys of what comes before the texts, rotated.
        named: int64 (V, T, n) number of the name that ends at a token.
        askers: bool (V, T, n) of those tokens.

    Returns:
        Mean over heads and tokens of the negative logarithm of the share of their attention that
        goes to names; 0 where nothing is named before any of them.
    """
    head_dim, start = before.shape[-1], before.shape[2]
    groups = model.config.text.heads // model.config.text.kv_heads
    tokens = torch.arange(named.shape[2], device=named.device)
    losses = []
    videos = zip(queries, keys, before[:, -1], named != NOTHING, askers, strict=True)
    for query, own, key, told, asks in videos:
        text, token = (asks & told.cumsum(-1).bool()).nonzero(as_tuple=True)
        asked = query[text, token].unflatten(-1, (-1, head_dim))[:, -groups:]
        turned = _turned(model, asked, start + token)
        heard = own.unflatten(-1, (-1, head_dim))[..., -1:, :]
        said = _turned(model, heard, (start + tokens).expand(told.shape))[..., 0, :]
        within = torch.einsum('sgd,snd->sgn', turned, said[text])
        later = (tokens > token[:, None])[:, None]
        scores = torch.cat([turned @ key.float().T, within.masked_fill(later, -torch.inf)], -1)
        shares = (scores / head_dim**0.5).log_softmax(-1)[..., start:]
        losses.append(-shares.masked_fill(~told[text][:, None], -torch.inf).logsumexp(-1).flatten())
    loss = torch.cat(losses)
    return loss.mean() if len(loss) else loss.sum()


def _turned(model: Loc3rVlm, heads: Tensor, positions: Tensor) -> Tensor:
    """Queries or keys (..., heads, d) rotated for their positions (...), in float32."""
    flat = heads.flatten(0, -3)
    cos, sin = model.language.rotary_emb(flat, positions.flatten()[None])
    half = sin.shape[-1] // 2
    signed = torch.cat((-sin[..., :half], sin[..., half:]), -1)
    turned = rotate(flat.transpose(0, 1)[None].float(), cos.float(), signed.float())[0]
    return turned.transpose(0, 1).unflatten(0, heads.shape[:-2])


def shown_in_prefix(model: Loc3rVlm, cells: Tensor, header: int, camera: bool) -> Tensor:
    """(V, P) names shown by all that stands before a text: header, camera tokens, rows, newlines.

    Args:
        model: for its grid.
        cells: int64 (V, F, grid^2).
        header: tokens before the video.
        camera: there is a camera token before each image.
    """
    grid = model.config.grid
    rows = functional.pad(cells.unflatten(-1, (grid, grid)), (0, 1), value=NOTHING).flatten(2)
    video = functional.pad(rows, (int(camera), 0), value=NOTHING).flatten(1)
    return functional.pad(video, (header, 0), value=NOTHING)
