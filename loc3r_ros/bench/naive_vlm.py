# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The same network as it is commonly run: transformers' own decoder, all read for each question."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import Qwen2Config, Qwen2ForCausalLM

from loc3r_ros.vlm.model.loc3r import Loc3rVlm


class NaiveVlm:
    """Shares its weights with a `Loc3rVlm`, but not what reads with them.

    Args:
        model: whose weights.
    """

    def __init__(self, model: Loc3rVlm) -> None:
        text = model.config.text
        self._model = model
        shape: dict[str, Any] = {
            'vocab_size': text.vocab_size,
            'hidden_size': text.hidden_size,
            'intermediate_size': text.intermediate_size,
            'num_hidden_layers': text.layers,
            'num_attention_heads': text.heads,
            'num_key_value_heads': text.kv_heads,
            'max_position_embeddings': text.max_positions,
            'rms_norm_eps': text.rms_norm_eps,
            'rope_theta': text.rope_theta,
            'use_sliding_window': False,
            'tie_word_embeddings': text.tie_embeddings,
            'attn_implementation': 'sdpa',
        }
        with torch.device('meta'):
            self._decoder: Any = Qwen2ForCausalLM(Qwen2Config(**shape))
        weights = {f'model.{name}': w for name, w in model.language.state_dict().items()}
        weights['lm_head.weight'] = model.lm_head.weight
        self._decoder.load_state_dict(weights, assign=True)
        self._decoder.model.rotary_emb = model.language.rotary_emb
        self._decoder.eval()

    @torch.inference_mode()
    def see(self, pixels: Tensor, tokens: Tensor) -> Tensor:
        """Embeddings (F * T, width) of frames (F, 3, S, S) and camera tokens (F, camera_dim)."""
        return self._model.frame_embeddings(self._model.encode_images(pixels), tokens).flatten(0, 1)

    @torch.inference_mode()
    def localize(self, header: list[int], video: Tensor, place: list[int]) -> Tensor:
        """Position (2,) of whoever says so, m; the heading as well, to have done the same work."""
        read = self._decoder.model(inputs_embeds=self._prompt(header, video, place))
        hidden = read.last_hidden_state[0]
        self._model.orientation(hidden[-1])
        return self._model.position(hidden[-2]).mean

    @torch.inference_mode()
    def ask(self, header: list[int], video: Tensor, text: list[int], tokens: int) -> list[int]:
        """The likeliest next tokens, this many."""
        prompt = self._prompt(header, video, text)
        ids = self._decoder.generate(
            inputs_embeds=prompt,
            attention_mask=torch.ones(prompt.shape[:2], dtype=torch.long, device=prompt.device),
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
        )
        return [int(i) for i in ids[0]]

    def _prompt(self, header: list[int], video: Tensor, text: list[int]) -> Tensor:
        return torch.cat([self._embed(header), video, self._embed(text)])[None]

    def _embed(self, ids: list[int]) -> Tensor:
        return self._model.embed(torch.tensor(ids, device=self._model.newline.device))
