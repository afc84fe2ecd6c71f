# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Loc3R-VLM by its joint objective: answers, layout and situation from one reading of a video."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from loc3r_ros.training.grounding import (
    asking,
    asking_layers,
    caught,
    finding,
    looking_layers,
    placing_layers,
    shown_in_prefix,
)
from loc3r_ros.training.loc3r_examples import KNOWN, Loc3rExamples
from loc3r_ros.training.lora import merge
from loc3r_ros.training.task import Batch, Task
from loc3r_ros.training.tokens import Camera
from loc3r_ros.training.told import told_tokens
from loc3r_ros.vlm.model.assumptions import IGNORED_LABEL, ORIENTATION_WEIGHT
from loc3r_ros.vlm.model.heads import PlaneGaussian
from loc3r_ros.vlm.model.loc3r import Loc3rVlm
from loc3r_ros.vlm.model.objective import (
    Losses,
    Predictions,
    Targets,
    joint_objective,
    places_nll,
)
from loc3r_ros.vlm.weights.save import save

BUCKETS = 8
"""Groups of texts of like length."""


@dataclass(frozen=True)
class Parts:
    """Which parts of the method are there; each is left out in an ablation.

    Attributes:
        camera: tokens of the encoder, of the true pose, either or none.
        geometry: the encoder's patch tokens are added to the image's, as in VLM-3R.
        layout: weight of the layout loss; 0: none.
        situation: weight of the situation losses; 0: places are told in words instead.
        reading: weight of going on with all that is said, not with answers alone; 0: as published.
        finding: weight of the losses of names that look elsewhere, and of who asks other words, see
            `grounding`; 0: as published.
        blind: no video at all.
    """

    camera: Camera = 'predicted'
    geometry: bool = False
    layout: float = 0.05
    situation: float = 0.075
    reading: float = 0.0
    finding: float = 0.0
    blind: bool = False


class Loc3rTask(Task):
    """All questions about a video share one reading of it.

    The video's keys and values are computed once, with gradients, and every text extends them by
    itself: as it is when questions are answered, and a tenth of the work of reading it anew.

    Args:
        model: trained whole.
        examples: of a batch.
        parts: what is left out.
        name: of the run.
    """

    examples: Loc3rExamples

    def __init__(
        self, model: Loc3rVlm, examples: Loc3rExamples, parts: Parts, name: str = 'loc3r'
    ) -> None:
        super().__init__()
        self.model = model.train()
        self.examples = examples
        self.parts = parts
        self.label = f'{name} {asdict(parts)} {examples}'
        config = model.config
        self.geometry_projector = (
            nn.Linear(config.camera_dim, config.text.hidden_size) if parts.geometry else None
        )
        # No part of the model: it reads off names what their question's answer depends on.
        self.knowing = (
            nn.ModuleList(
                nn.Linear(config.text.hidden_size, KNOWN)
                for _ in range(len(asking_layers(config)) + 1)
            )
            if parts.finding and not parts.blind
            else None
        )
        self.words = examples.prompt.words
        self.header = examples.prompt.header()

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        prefix, layout = self.read_video(batch)
        with caught(self._projections) as given:
            texts = self._read_texts(batch, prefix)
        hidden = texts.flatten(0, 1)
        following = batch['labels'].flatten(0, 1)[:, 1:]
        # The vocabulary is wide, and most of what is read is not to be learnt.
        learnt = following != IGNORED_LABEL
        pos = batch['pos'].flatten()
        rows = torch.arange(len(pos), device=pos.device)
        told = bool(self.parts.situation)
        losses = joint_objective(
            Predictions(
                self.model.logits(hidden[:, :-1][learnt]),
                layout,
                self.model.position(hidden[rows, pos]),
                self.model.orientation(hidden[rows, pos + 1]),
            ),
            Targets(
                following[learnt],
                batch['places'].flatten(1, 2),
                batch['seen'].flatten(1, 2),
                batch['position'].flatten(0, 1),
                batch['heading'].flatten(),
                batch['situated'].flatten() & told,
                batch['headed'].flatten() & told,
            ),
        )
        total, found = self._total(losses), dict[str, Tensor]()
        if self.parts.reading:
            found['reading'] = self._read_on(batch, hidden, learnt)
            total = total + self.parts.reading * found['reading']
        if self.knowing is not None:
            found |= self._ground(batch, prefix, texts, given)
            taught = found['finding'] + found['asking'] + found['knowing']
            total = total + self.parts.finding * taught
            total = total + self.parts.layout * found['things']
        return {'total': total, **vars(losses), **found}

    def _read_on(self, batch: Batch, hidden: Tensor, answers: Tensor) -> Tensor:
        """Cross entropy of each next token of what is said to the model; answers are apart."""
        following = batch['ids'].flatten(0, 1)[:, 1:]
        tokens = torch.arange(following.shape[1], device=following.device)
        said = (tokens < batch['length'].flatten()[:, None] - 1) & ~answers
        logits = self.model.logits(hidden[:, :-1][said])
        return functional.cross_entropy(logits.float(), following[said])

    def _ground(
        self, batch: Batch, prefix: Reading, texts: Tensor, given: list[list[Tensor]]
    ) -> dict[str, Tensor]:
        """Losses of names: whether they look at what they mean, know where it is, are asked."""
        videos, length = len(texts), texts.shape[2]
        config = self.model.config
        looking, answering = looking_layers(config), asking_layers(config)
        placing = placing_layers(config)

        def whole(parts: list[Tensor]) -> Tensor:
            split = (part.unflatten(0, (videos, -1)) for part in parts)
            return torch.cat([_padded(part, length) for part in split], 1)

        queries = {k: whole(given[2 * k]) for k in {*looking, *placing}}
        before = {k: prefix.layers[k][0] for k in queries}
        shown = shown_in_prefix(
            self.model, batch['cells'], len(self.header), self.parts.camera != 'none'
        )
        looks = [
            finding(self.model, queries[k], prefix.length, before[k], batch['named'], shown)
            for k in looking
        ]
        losses, shares = zip(*looks, strict=True)
        tokens = torch.arange(length, device=texts.device)
        pos = batch['pos'][..., None]
        placed = (tokens == pos) | (tokens == pos + 1)
        answers = functional.pad(batch['labels'][..., 1:] != IGNORED_LABEL, (0, 1))
        asked = [
            asking(
                self.model,
                queries[k],
                whole(given[2 * k + 1]),
                before[k],
                batch['named'],
                placed | answers if k in answering else placed,
            )
            for k in placing
        ]
        truth = batch['things']
        known = truth.isfinite().all(-1)
        places = self.model.layout(texts[known])
        return {
            'finding': torch.stack(losses).mean(),
            'found': torch.stack(shares).mean(),
            'asking': torch.stack(asked).mean(),
            'things': places_nll(places, truth[known], known[known]),
            'knowing': self._know([*map(whole, given[-len(answering) :]), texts], batch['facts']),
        }

    def _know(self, layers: list[Tensor], facts: Tensor) -> Tensor:
        """Mean squared error of what names tell, before each layer that answers and at the end."""
        assert self.knowing is not None
        known = facts.isfinite()
        some = known.any(-1)
        true, known = facts[some].nan_to_num(), known[some]
        told = [read(x[some].float()) for read, x in zip(self.knowing, layers, strict=True)]
        errors = [((own - true).square() * known).sum() / known.sum().clamp(min=1) for own in told]
        return torch.stack(errors).mean()

    @property
    def _projections(self) -> list[nn.Module]:
        """Of each layer what makes queries, and keys; last what those that answer read."""
        language: Any = self.model.language  # transformers' own
        return [
            *(
                part
                for layer in language.layers
                for part in (layer.self_attn.q_proj, layer.self_attn.k_proj)
            ),
            *(language.layers[k].input_layernorm for k in asking_layers(self.model.config)),
        ]

    def _read_texts(self, batch: Batch, prefix: Reading) -> Tensor:
        """Hidden states (videos, texts, n, width): texts of like length together, behind the video.

        Padded to the longest of all, half of what is read would be padding.
        """
        ids, length = batch['ids'], batch['length']
        parts = zip(ids.chunk(BUCKETS, 1), length.chunk(BUCKETS, 1), strict=True)
        hidden = []
        for texts, lengths in parts:
            cut = texts[:, :, : int(lengths.max())]
            read = self.model.decode(
                self.model.embed(cut.flatten(0, 1)),
                Extension(prefix, texts.shape[1]),
                prefix.length,
            )
            hidden.append(_padded(read.unflatten(0, texts.shape[:2]), ids.shape[2]))
        return torch.cat(hidden, 1)

    def _total(self, losses: Losses) -> Tensor:
        situation = losses.position + ORIENTATION_WEIGHT * losses.orientation
        return losses.answer + self.parts.layout * losses.layout + self.parts.situation * situation

    def read_video(self, batch: Batch) -> tuple[Reading, PlaneGaussian]:
        """Keys and values of header and video, and where its patches are said to be.

        Of the batch it takes what is seen, and no texts.
        """
        model, (videos, frames) = self.model, batch['seen'].shape[:2]
        header = model.embed(torch.tensor(self.header, device=model.newline.device))
        header = header.expand(videos, -1, -1)
        prefix = Reading()
        if self.parts.blind:
            model.decode(header, prefix)
            return prefix, model.layout(
                model.newline.new_zeros(*batch['seen'].flatten(1).shape, len(model.newline))
            )
        seen = model.frame_embeddings(self._features(batch), self._camera(batch))
        hidden = model.decode(
            torch.cat((header, seen.unflatten(0, (videos, frames)).flatten(1, 2)), 1), prefix
        )
        of_frames = hidden[:, len(self.header) :].unflatten(1, (frames, -1))
        return prefix, model.layout(model.patch_states(of_frames).flatten(1, 2))

    def _features(self, batch: Batch) -> Tensor:
        """Image tokens (videos * F, G, width), with the encoder's patch tokens if wanted."""
        if self.examples.told:
            parts = (batch[name].flatten(0, 1) for name in ('names', 'points'))
            return self.model.pool(told_tokens(self.model, *parts))
        features = self.model.encode_images(batch['pixels'].flatten(0, 1).float())
        if self.geometry_projector is None:
            return features
        grid = self.model.config.grid
        tokens = self.geometry_projector(batch['geometry'].flatten(0, 1))
        side = math.isqrt(tokens.shape[1])
        plane = tokens.transpose(1, 2).unflatten(2, (side, side))
        plane = functional.interpolate(plane, (grid, grid), mode='bilinear').permute(0, 2, 3, 1)
        # Newlines stay as they are.
        return features + functional.pad(plane, (0, 0, 0, 1)).flatten(1, 2)

    def _camera(self, batch: Batch) -> Tensor | None:
        return batch['camera'].flatten(0, 1) if self.parts.camera != 'none' else None

    def export(self, folder: Path, about: Mapping[str, str]) -> None:
        told = f'{self.label}; ' + '; '.join(f'{name} {value}' for name, value in about.items())
        model = copy.deepcopy(self.model)
        camera = self.parts.camera
        model.config = replace(
            model.config,
            reads_poses=camera in ('true', 'either'),
            reads_tokens=camera in ('predicted', 'either'),
            reasons=self.examples.reasons,
        )
        merge(model)
        save(model.half(), self.words, folder, training=told)


def _padded(values: Tensor, length: int) -> Tensor:
    """(V, T, n, width) with as many tokens as `length`, zeros where there were none."""
    return functional.pad(values, (0, 0, 0, length - values.shape[2]))


class Reading:
    """Keys and values of a first reading, kept with their gradients."""

    def __init__(self) -> None:
        self.layers: dict[int, tuple[Tensor, Tensor]] = {}

    @property
    def length(self) -> int:
        """Tokens read."""
        return self.layers[0][0].shape[2]

    def update(self, key: Tensor, value: Tensor, layer: int, /) -> tuple[Tensor, Tensor]:
        # A second reading, for gradient checkpoints, must not replace what others refer to.
        self.layers.setdefault(layer, (key, value))
        return key, value


class Extension:
    """A prefix of each video, put before each of its texts."""

    def __init__(self, prefix: Reading, texts: int) -> None:
        self._prefix, self._texts = prefix, texts

    def update(self, key: Tensor, value: Tensor, layer: int, /) -> tuple[Tensor, Tensor]:
        before = (
            kept[:, None].expand(-1, self._texts, -1, -1, -1).flatten(0, 1)
            for kept in self._prefix.layers[layer]
        )
        return tuple(torch.cat(pair, 2) for pair in zip(before, (key, value), strict=True))  # type: ignore[return-value]
