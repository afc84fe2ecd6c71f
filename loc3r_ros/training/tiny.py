# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The small model of the package: its stages, in turn, and how each is trained.

CUT3R learns poses and points; the language model learns to read, to find and to answer from videos
that are told it patch by patch; the image tower learns to tell the same from pixels; then all of
Loc3R-VLM learns over what the tower sees. Every stage goes on from where it was left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from loc3r_ros.cut3r.checkpoint import load_checkpoint
from loc3r_ros.cut3r.config import SHIPPED
from loc3r_ros.errors import InputError
from loc3r_ros.training.bank import SHOWN, Bank
from loc3r_ros.training.cut3r_begin import begin
from loc3r_ros.training.cut3r_clips import ClipExamples, Stage
from loc3r_ros.training.cut3r_reels import Reels
from loc3r_ros.training.cut3r_task import WEIGHTS, Cut3rTask
from loc3r_ros.training.loc3r_begin import begin as begin_language
from loc3r_ros.training.loc3r_examples import Loc3rExamples
from loc3r_ros.training.loc3r_task import Loc3rTask, Parts
from loc3r_ros.training.lora import adapt
from loc3r_ros.training.naming import NamingExamples, NamingTask
from loc3r_ros.training.run import Means, Recipe, fit
from loc3r_ros.training.tokens import Camera, TokenBank
from loc3r_ros.training.tower_begin import begin as begin_tower
from loc3r_ros.vlm.config import TINY, VlmConfig
from loc3r_ros.vlm.model.loc3r import Loc3rVlm, build
from loc3r_ros.vlm.weights import OWN_PARTS, load

FEW = (*3 * (8 * SHOWN,), *5 * (4 * SHOWN,))
"""One in so many frames is shown while words are learnt: 4 of a video, or 8."""

MOSTLY_FEW = (*6 * (4 * SHOWN,), 2 * SHOWN, SHOWN)
"""Later: 8, 16 and 32. A video of 8 frames is read seven times as fast as one of 32."""


BEGINNING = 'begin.safetensors'
"""In the encoder's folder: weights to go on from."""

GENTLY = 0.4
"""Share of the rate at which these are trained on: at all of it, they forget in 200 steps how far
the camera turned."""


@dataclass(frozen=True)
class Plan:
    """How much is trained.

    Attributes:
        rooms: seeds of scenes that are trained on.
        videos: of each.
        questions, situations: that a video is asked at once.
        encoder, words, names, language: the stages.
        ablated: the training of each variant of the method, which begins with no words.
        clips: lengths that CUT3R's clips grow to, at even parts of its steps, and how far the
            camera turns from frame to frame, at most, degrees.
        pointings: simplest situations that are made up of a video, beside these.
        strides: one in so many of a video's frames is shown, by turns from step to step.
        emphasis: how often the weights of layout and situation are the paper's while words are
            learnt, and in ablations. There the language model can speak before; here answers are
            learnt from nothing, and outweigh all else.
        camera: what tells the model of the package where each image was taken.
        reasons: it says facts to itself before each answer.
    """

    rooms: int
    videos: int
    questions: int
    situations: int
    encoder: Recipe
    words: Recipe
    names: Recipe
    language: Recipe
    ablated: Recipe
    clips: tuple[tuple[int, float], ...] = ((16, 180.0),)
    pointings: int = 0
    strides: tuple[int, ...] = (SHOWN,)
    emphasis: float = 1.0
    camera: Camera = 'either'
    reasons: bool = True


PLANS = {
    'cpu': Plan(
        rooms=700,
        videos=2,
        questions=16,
        situations=8,
        encoder=Recipe(steps=3600, batch=2, rate=1e-3, warmup=100, muon=2.0),
        clips=((2, 8.0), (2, 16.0), (4, 16.0), (8, 30.0), (16, 180.0), (8, 30.0)),
        pointings=6,
        strides=MOSTLY_FEW,
        emphasis=5.0,
        camera='true',  # its CUT3R loses its way in videos that turn so fast
        words=Recipe(steps=1600, batch=2, rate=1e-3, warmup=50, muon=2.0, average=0.99),
        names=Recipe(steps=5000, batch=8, rate=2e-3, warmup=100, muon=1.0),
        language=Recipe(steps=1200, batch=4, rate=1e-3, warmup=50, muon=2.0, average=0.99),
        ablated=Recipe(steps=700, batch=2, rate=1e-3, warmup=50, muon=2.0, average=0.98),
    ),
    'gpu': Plan(
        rooms=20_000,
        videos=2,
        questions=24,
        situations=16,
        encoder=Recipe(steps=6000, batch=64, rate=1.2e-3, average=0.999),
        clips=((2, 8.0), (2, 16.0), (4, 16.0), (8, 30.0), (32, 180.0), (16, 30.0)),
        pointings=8,
        strides=MOSTLY_FEW,
        emphasis=5.0,
        words=Recipe(steps=12_000, batch=16, rate=1e-3, muon=2.0),
        names=Recipe(steps=20_000, batch=64, rate=2e-3, muon=1.0),
        language=Recipe(steps=40_000, batch=16, rate=8e-4, muon=2.0, average=0.999),
        ablated=Recipe(steps=8_000, batch=16, rate=1e-3, muon=2.0),
    ),
}
"""For half a day of a processor core, and for half an hour of a data-centre GPU."""

PLANS['full'] = replace(
    PLANS['gpu'],
    questions=1,
    situations=0,
    pointings=0,
    strides=(SHOWN,),
    emphasis=1.0,
    reasons=False,
    language=Recipe(steps=4200, batch=64, rate=1e-5, warmup=126, decay=0.0, average=0.0),
)
"""Loc3R-VLM's own recipe, for a model that others began: 4.2 thousand steps of 64 at 1e-5."""


FINDING = 1.0
"""Weight of the loss of names that look elsewhere."""

READING = 0.5
"""Weight of going on with what is said to the model, not with its answers alone."""

WHOLE = Parts(finding=FINDING, reading=READING)
"""What the package's model is trained by: whoever has depth knows poses better than CUT3R does."""

_POSED = replace(WHOLE, camera='true')

VARIANTS = {
    'full': _POSED,
    'without layout': replace(_POSED, layout=0.0),
    'places in words': replace(_POSED, situation=0.0),
    'without camera prior': replace(_POSED, camera='none'),
    'predicted camera': replace(_POSED, camera='predicted'),
    'with geometry tokens': replace(_POSED, geometry=True),
    'blind': replace(_POSED, camera='none', blind=True),
}
"""The method with parts left out, added or replaced.

Poses are true but in the one where CUT3R's tokens take their place: what a small encoder gets wrong
would hide what all else is good for.
"""


def ablation(variant: str, seed: int) -> str:
    """Folder of a variant's run, below that of all runs."""
    return f'ablations/{variant.replace(" ", "-")}-{seed}'


@dataclass(frozen=True)
class Start:
    """What Loc3R-VLM is trained from.

    Attributes:
        weights: folder of a model, in any layout that is loaded: that of a stage before, or a
            LLaVA-Video of full size, whose missing parts begin at random.
        encoder: CUT3R's weights, whose camera tokens are as wide as the model takes them.
        rank: of adapters (LoRA); 0: the language model is trained whole.
        tower: folder of the small model whose tower sees for it; None: others trained both.
    """

    weights: Path
    encoder: Path
    rank: int = 0
    tower: Path | None = None

    def model(self) -> Loc3rVlm:
        """The model, on the CPU, to be trained."""
        # Adapters lie beside matrices that stay as they are: half the memory will do for these.
        precision = 'bf16' if self.rank else 'fp32'
        model, _, _ = load(self.weights, precision=precision, device='cpu', allow=OWN_PARTS)
        for parameter in model.parameters():
            # What is mapped from a file cannot be changed.
            parameter.data = parameter.data.clone()
            parameter.requires_grad_(True)
        if self.tower:
            seeing, _, _ = load(self.tower, precision=precision, device='cpu')
            model.vision.load_state_dict(seeing.vision.state_dict())
            model.projector.load_state_dict(seeing.projector.state_dict())
        else:
            model.language.gradient_checkpointing = True
        if self.rank:
            adapt(model, self.rank)
        return model


def newborn(seed: int) -> Loc3rVlm:
    """The small model before it has learnt anything: tower and words begin from the same one."""
    torch.manual_seed(seed)
    model = build(TINY)
    begin_tower(model, seed)
    begin_language(model, seed)
    return model


@dataclass(frozen=True)
class Workshop:
    """Where everything lies.

    Attributes:
        folder: of the runs; each stage has its own within.
        bank: of videos.
    """

    folder: Path
    bank: Path

    def encoder(self, plan: Plan, means: Means) -> bool:
        """Train CUT3R; whether it is done.

        It begins with the weights in `BEGINNING`, if there are any; these have learnt from short
        clips before.
        """
        recipe, clips = plan.encoder, plan.clips
        beginning = self.folder / 'encoder' / BEGINNING
        if beginning.is_file():
            recipe, clips = replace(recipe, rate=GENTLY * recipe.rate), clips[-1:]
        part = recipe.steps // len(clips)
        stages = [
            Stage(part * (k + 1), frames, math.radians(turn))
            for k, (frames, turn) in enumerate(clips)
        ]
        examples = ClipExamples(
            Reels(self.bank / 'reels'),
            SHIPPED,
            tuple(stages),
            frames=max(frames for frames, _ in plan.clips),
            rooms=plan.rooms,
            seed=recipe.seed,
        )
        model = begin(SHIPPED, recipe.seed)
        if beginning.is_file():
            model.load_state_dict(load_checkpoint(beginning).state_dict())
        # Its attention is slower in bfloat16 on a CPU.
        on_cpu = means.device == 'cpu' or not torch.cuda.is_available()
        wide = replace(means, precision='fp32') if on_cpu else means
        return fit(Cut3rTask(model, examples), self.folder / 'encoder', recipe, wide)

    def words(self, plan: Plan, means: Means) -> bool:
        """Train the language model on videos that are told it; whether it is done."""
        recipe, parts = plan.words, replace(WHOLE, camera='true')
        model = newborn(recipe.seed)
        # What names are to be found by: the tower learns to give the same meanwhile.
        for part in (model.vision, model.projector, model.language.embed_tokens):
            part.requires_grad_(False)
        examples = self._examples(replace(plan, strides=FEW), recipe, TINY, parts, told=True)
        task = Loc3rTask(model, examples, _weighed(plan, parts), 'words')
        return fit(task, self.folder / 'words', recipe, means)

    def names(self, plan: Plan, means: Means) -> bool:
        """Train the tower to tell what it sees; whether it is done."""
        recipe = plan.names
        examples = NamingExamples(self._bank, TINY, plan.rooms, plan.videos, seed=recipe.seed)
        task = NamingTask(newborn(recipe.seed), examples)
        return fit(task, self.folder / 'names', recipe, means)

    def language(
        self, plan: Plan, means: Means, start: Start | None = None, parts: Parts | None = None
    ) -> bool:
        """Train Loc3R-VLM on all it is to know; whether it is done."""
        parts = parts or (Parts() if start else replace(WHOLE, camera=plan.camera))
        task = self._language_task(plan, start or self._after('words'), parts)
        return fit(task, self.folder / 'language', plan.language, means)

    def ablations(self, plan: Plan, means: Means) -> bool:
        """Train each variant of the method on the same budget; whether all are done."""
        return all(
            fit(
                self.variant(plan, name),
                self.folder / ablation(name, plan.ablated.seed),
                plan.ablated,
                means,
            )
            for name in VARIANTS
        )

    def variant(self, plan: Plan, name: str) -> Loc3rTask:
        """A variant of the method before its training: it sees, and has learnt no words."""
        ablated = replace(plan, language=plan.ablated)
        return self._language_task(ablated, self._after('names'), _weighed(plan, VARIANTS[name]))

    def _after(self, stage: str) -> Start:
        for needed in (stage, 'names'):
            if not (self.folder / needed / 'config.json').is_file():
                raise InputError(
                    f'{self.folder / needed}: that stage is not done, and this one begins with it: '
                    f'loc3r train {self.folder} --stages {needed}'
                )
        return Start(
            self.folder / stage, self.folder / 'encoder' / WEIGHTS, tower=self.folder / 'names'
        )

    def _language_task(self, plan: Plan, start: Start, parts: Parts) -> Loc3rTask:
        recipe = plan.language
        torch.manual_seed(recipe.seed)
        model = start.model()
        model.vision.requires_grad_(False)  # as published
        examples = self._examples(
            plan,
            recipe,
            model.config,
            parts,
            encoder=start.encoder,
            words=None if start.tower else start.weights,
        )
        return Loc3rTask(model, examples, parts, f'loc3r from {start.weights.name}')

    def _examples(
        self,
        plan: Plan,
        recipe: Recipe,
        config: VlmConfig,
        parts: Parts,
        encoder: Path | None = None,
        **options: Any,
    ) -> Loc3rExamples:
        tokens = TokenBank(
            self._bank.folder, encoder, parts.camera, parts.geometry, config.camera_dim
        )
        return Loc3rExamples(
            self._bank,
            tokens,
            config,
            plan.rooms,
            plan.videos,
            plan.questions,
            plan.situations,
            plan.pointings,
            plan.strides,
            seed=recipe.seed,
            reasons=plan.reasons,
            coordinates_as_text=not parts.situation,
            **options,
        )

    @property
    def _bank(self) -> Bank:
        return Bank(self.bank / 'videos')


def _weighed(plan: Plan, parts: Parts) -> Parts:
    emphasis = plan.emphasis
    return replace(parts, layout=emphasis * parts.layout, situation=emphasis * parts.situation)
