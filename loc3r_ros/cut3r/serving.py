# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Who computes the steps of an encoder: PyTorch alone, or the best of the engines at hand.

Without PyTorch this module works as long as nothing but engines is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from loc3r_ros.cut3r.config import Cut3rConfig
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.errors import EngineError, InputError
from loc3r_ros.runtime.choose import Backend, Candidate, Choice, choose
from loc3r_ros.runtime.package import Package, packages
from loc3r_ros.runtime.session import Arrays, Session

if TYPE_CHECKING:
    import torch

    from loc3r_ros.cut3r.model import Cut3r
    from loc3r_ros.cut3r.torch_step import Form

log = logging.getLogger(__name__)

BACKENDS = ('auto', 'torch', 'compiled', 'onnxruntime', 'tensorrt')


class Serving(Protocol):
    """A network, and who can compute it.

    Attributes:
        config: its dimensions.
        trained: whether its weights came from a checkpoint.
        fingerprint: identifies weights and dimensions.
    """

    config: Cut3rConfig
    trained: bool

    @property
    def fingerprint(self) -> str: ...

    def initial(self) -> Arrays:
        """The state before the first frame."""

    def open(self, variant: Variant, without: Sequence[str] = ()) -> Choice:
        """Who serves a variant; `without` those that failed at work.

        Raises:
            EngineError: nobody can.
        """


class TorchServing:
    """PyTorch, from the weights; eager, or packed for a CPU where the products are narrow.

    Args:
        model: in float32; moved to the device.
        device: where to run; `auto`: a GPU if any.
        dtype: precision of the products; None: float32.
    """

    def __init__(self, model: Cut3r, device: str | torch.device, dtype: torch.dtype | None) -> None:
        import torch

        if device == 'auto':
            device = 'cuda' if torch.cuda.is_available() else 'cpu'
        self.device = torch.device(device)
        self.model = model.eval().to(self.device)
        self.config = model.config
        self.trained = model.trained
        self.dtype = dtype or torch.float32

    @cached_property
    def fingerprint(self) -> str:
        from loc3r_ros.cut3r.fingerprint import fingerprint

        return fingerprint(self.model)

    def initial(self) -> Arrays:
        """The state before the first frame."""
        stream = self.model.initial()._asdict()
        return {name: tensor.detach().cpu().numpy() for name, tensor in stream.items()}

    def open(self, variant: Variant, without: Sequence[str] = ()) -> Choice:
        """Serve, untested: this is what engines are tested against."""
        from loc3r_ros.cut3r.torch_step import form_of

        session = self.session(variant, form_of(self.dtype, self.device))
        if session.name in without:
            raise EngineError(f'{session.name} failed at work, and there is no other backend')
        return Choice(session, f'{session.name} serves: no engines were named')

    def session(self, variant: Variant, form: Form) -> Session:
        """A session in one of its forms."""
        from loc3r_ros.cut3r.torch_step import torch_session

        return torch_session(self.model, variant, self.device, form)


class EngineServing:
    """The best of the engines in a folder, and of PyTorch where there are weights.

    Args:
        folder: packages of these weights, and engines built of them.
        backend: which may serve.
        plain: PyTorch, with the weights; without it, the packages alone say what the network is.

    Raises:
        InputError: there is no package of these weights, or several weights are mixed.
    """

    def __init__(self, folder: Path, backend: Backend, plain: TorchServing | None) -> None:
        found = packages(folder)
        if plain is not None:
            found = [p for p in found if p.weights == plain.fingerprint]
        if not found:
            raise InputError(
                f'{folder}: no exported package{" of these weights" if plain else ""}; '
                f'write one with loc3r engine export WEIGHTS -o {folder}'
            )
        if len({package.weights for package in found}) > 1:
            raise InputError(f'{folder}: packages of several weights; give the weights as well')
        network = found[0].network
        self.config = Cut3rConfig(**network['config'])
        self.trained = bool(network['trained'])
        self.fingerprint = found[0].weights
        self._packages = found
        self._backend = backend
        self._plain = plain

    def initial(self) -> Arrays:
        """The state before the first frame."""
        return dict(self._packages[0].golden.initial)

    def open(self, variant: Variant, without: Sequence[str] = ()) -> Choice:
        """The best that passes its self-test; for a size without a package, PyTorch."""
        fitting = [p for p in self._packages if _is_of(p, variant)]
        if not fitting and self._plain is not None and self._backend in ('auto', 'torch'):
            choice = self._plain.open(variant, without)
            refusal = f'no package of {_words(variant)}: {_remedy(variant)}'
            reason = f'{choice.session.name} serves: {refusal}'
            log.warning('%s', reason)
            return Choice(choice.session, reason, (refusal,))
        if not fitting:
            raise EngineError(
                f'no package of {_words(variant)} among the engines: {_remedy(variant)}'
            )
        return choose(self._candidates(fitting, variant), without)

    def _candidates(self, fitting: list[Package], variant: Variant) -> list[Candidate]:
        made = [
            Candidate(name, package, package.precision, partial(opener, package))
            for name, opener in (('tensorrt', _tensorrt), ('onnxruntime', _onnxruntime))
            for package in fitting
        ]
        if self._plain is not None:
            made += self._torch_candidates(self._plain, fitting[0], variant)
        return [c for c in made if self._backend in ('auto', c.backend)]

    def _torch_candidates(
        self, plain: TorchServing, package: Package, variant: Variant
    ) -> list[Candidate]:
        from loc3r_ros.cut3r.torch_step import forms

        # Compiled again at every start, it serves only who asks for it by name.
        compiled = self._backend == 'compiled'
        return [
            Candidate(
                'compiled' if compiled else 'torch',
                package,
                form.precision,
                partial(plain.session, variant, form),
            )
            for form in forms(plain.device, compiled=compiled)
        ]


def serving(
    model: Cut3r | None,
    *,
    device: str | torch.device,
    dtype: torch.dtype | None,
    backend: Backend,
    engines: Path | None,
) -> Serving:
    """Who can compute a network, by the options of `PoseEncoder`.

    Raises:
        InputError: the options do not go together, or no package is there.
    """
    if backend not in BACKENDS:
        raise InputError(f'backend {backend!r} is unknown; use one of {", ".join(BACKENDS)}')
    plain = None if model is None else TorchServing(model, device, dtype)
    if engines is not None:
        return EngineServing(engines, backend, plain)
    if plain is None or backend not in ('auto', 'torch'):
        raise InputError(f'backend {backend} needs engines: name a folder of exported packages')
    return plain


def _is_of(package: Package, variant: Variant) -> bool:
    return all(package.network.get(name) == value for name, value in variant._asdict().items())


def _words(variant: Variant) -> str:
    outputs = 'with heads' if variant.heads else 'camera-only'
    return f'{variant.width}x{variant.height} {outputs}, rule {variant.rule}'


def _remedy(variant: Variant) -> str:
    return f'write it with loc3r engine export{" --heads" if variant.heads else ""}'


def _tensorrt(package: Package) -> Session:
    from loc3r_ros.runtime.tensorrt.session import open_session

    return open_session(package)


def _onnxruntime(package: Package) -> Session:
    from loc3r_ros.runtime.onnx_session import OnnxSession

    return OnnxSession(package)
