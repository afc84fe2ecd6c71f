# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Low-rank adaptation (LoRA, arXiv 2106.09685) of the language model, by peft."""

from __future__ import annotations

from typing import Any, cast

from loc3r_ros.vlm.model.loc3r import Loc3rVlm

TARGETS = ('q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj')
"""The language model's matrices."""


def adapt(model: Loc3rVlm, rank: int) -> None:
    """Freeze the tower and the language model, but for adapters of its matrices.

    What Loc3R-VLM adds (camera projector, heads), LLaVA's projector and the words' embeddings,
    among them `<Pos>` and `<Ori>`, are trained whole.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(TARGETS))
    model.vision.requires_grad_(False)
    get_peft_model(model.language, config)  # changes its layers in place
    model.language.embed_tokens.requires_grad_(True)


def merge(model: Loc3rVlm) -> None:
    """Fold the adapters into the matrices: a plain model again, as it is stored and run."""
    for module in list(model.language.modules()):
        for name, child in list(module.named_children()):
            if hasattr(child, 'get_base_layer') and hasattr(child, 'merge'):
                adapted = cast(Any, child)
                adapted.merge()
                setattr(module, name, adapted.get_base_layer())
