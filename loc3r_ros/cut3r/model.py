# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R (Wang et al., CVPR 2025): one recurrent step from an image to pose, points and state."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from loc3r_ros.cut3r import activations
from loc3r_ros.cut3r.blocks import DecoderBlock, EncoderBlock, Linear, layer_norm
from loc3r_ros.cut3r.config import PATCH, Cut3rConfig
from loc3r_ros.cut3r.decoder import Decoded, decode, decoder_ropes
from loc3r_ros.cut3r.heads import DptHeads, Heads, Levels, LinearHeads, Maps
from loc3r_ros.cut3r.memory import PoseRetriever
from loc3r_ros.cut3r.rope import Layout, rope_table
from loc3r_ros.cut3r.stream import Flag, FrameOutput, Stream, select
from loc3r_ros.cut3r.variant import UpdateRule
from loc3r_ros.errors import InputError

RAY_CHANNELS = 6


class PatchEmbed(nn.Module):
    """Cut an image (B, C, H, W) in patches and embed each: (B, N, De)."""

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, PATCH, PATCH)

    def forward(self, image: Tensor) -> Tensor:
        patches = self.proj(image.to(self.proj.weight.dtype)).flatten(2).transpose(1, 2)
        return patches.to(torch.promote_types(patches.dtype, torch.float32))


class Cut3r(nn.Module):
    """The network. Parameters have the names and shapes of the published checkpoints.

    `step` is a pure function of its tensors, so that it can be traced; who calls it keeps the
    stream. Flags are Python bools, which skip what they make needless, or tensors (B,).

    Attributes:
        config: dimensions.
        trained: whether the weights came from a checkpoint.
    """

    def __init__(self, config: Cut3rConfig) -> None:
        super().__init__()
        c = self.config = config
        self.trained = False
        self.pose_token = nn.Parameter(torch.zeros(1, 1, c.dec_dim))
        self.masked_img_token = nn.Parameter(torch.zeros(1, c.enc_dim))
        self.masked_ray_map_token = nn.Parameter(torch.zeros(1, c.enc_dim))
        self.register_tokens = nn.Embedding(c.state_tokens, c.enc_dim)
        self.patch_embed = PatchEmbed(3, c.enc_dim)
        self.patch_embed_ray_map = PatchEmbed(RAY_CHANNELS, c.enc_dim)
        self.enc_blocks = nn.ModuleList(
            EncoderBlock(c.enc_dim, c.enc_heads, c.mlp_ratio, c.half_rounding)
            for _ in range(c.enc_depth)
        )
        self.enc_norm = layer_norm(c.enc_dim)
        self.enc_blocks_ray_map = nn.ModuleList(
            EncoderBlock(c.enc_dim, c.ray_heads, c.mlp_ratio) for _ in range(c.ray_depth)
        )
        self.enc_norm_ray_map = layer_norm(c.enc_dim)
        self.decoder_embed = Linear(c.enc_dim, c.dec_dim)
        self.decoder_embed_state = Linear(c.enc_dim, c.dec_dim)
        self.dec_blocks = nn.ModuleList(
            DecoderBlock(c.dec_dim, c.dec_heads, c.mlp_ratio) for _ in range(c.dec_depth)
        )
        self.dec_blocks_state = nn.ModuleList(
            DecoderBlock(c.dec_dim, c.state_heads, c.mlp_ratio) for _ in range(c.dec_depth)
        )
        self.dec_norm = layer_norm(c.dec_dim)
        self.dec_norm_state = layer_norm(c.dec_dim)
        self.pose_retriever = PoseRetriever(
            c.enc_dim, c.dec_dim, c.dec_heads, c.memory_tokens, c.mlp_ratio
        )
        self.downstream_head: Heads = (DptHeads if c.head == 'dpt' else LinearHeads)(c)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the products, but those of the heads."""
        return self.decoder_embed.weight.dtype

    def set_precision(self, dtype: torch.dtype) -> Cut3r:
        """Take products in a dtype, but those of the heads, which are float32 as published.

        Norms, sums and the state stay float32, too.
        """
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d) and not name.startswith('downstream_head'):
                module.to(dtype)
        return self

    def initial(self, batch: int = 1) -> Stream:
        """The stream before its first frame."""
        state = self.decoder_embed_state(self.register_tokens.weight)[None].float()
        memory = self.pose_retriever.mem.float()
        # Copies, so that a stream never aliases the weights.
        return Stream(state.repeat(batch, 1, 1), memory.repeat(batch, 1, 1))

    def encode_image(self, image: Tensor) -> Tensor:
        """Features (B, N, De) of images (B, 3, H, W) in [-1, 1]; H and W multiples of 16."""
        return self._encode(
            image, self.patch_embed, self.enc_blocks, self.enc_norm, self.config.enc_heads
        )

    def encode_rays(self, ray_map: Tensor) -> Tensor:
        """Features (B, N, De) of ray maps (B, H, W, 6): origins, then directions."""
        return self._encode(
            ray_map.permute(0, 3, 1, 2),
            self.patch_embed_ray_map,
            self.enc_blocks_ray_map,
            self.enc_norm_ray_map,
            self.config.ray_heads,
        )

    def _encode(
        self,
        pixels: Tensor,
        embed: nn.Module,
        blocks: Iterable[nn.Module],
        norm: nn.Module,
        heads: int,
    ) -> Tensor:
        h, w = patch_grid(pixels.shape[-2], pixels.shape[-1])
        c = self.config
        rope = rope_table(Layout(h * w, w), c.enc_dim // heads, c.rope_base, pixels.device)
        x = embed(pixels)
        for block in blocks:
            x = block(x, rope)
        return norm(x)

    def step(
        self,
        image: Tensor,
        stream: Stream,
        *,
        first: Flag,
        update: Flag = True,
        reset: Flag = False,
        rule: UpdateRule = 'cut3r',
        camera_only: bool = False,
    ) -> FrameOutput:
        """One image of a stream; see `advance`."""
        return self.advance(
            self.encode_image(image),
            patch_grid(image.shape[-2], image.shape[-1]),
            stream,
            first=first,
            update=update,
            reset=reset,
            rule=rule,
            camera_only=camera_only,
        )

    def query(self, ray_map: Tensor, stream: Stream) -> FrameOutput:
        """What a camera with these rays (B, H, W, 6) would see; the stream is left as it is."""
        grid = patch_grid(ray_map.shape[1], ray_map.shape[2])
        return self.advance(self.encode_rays(ray_map), grid, stream, first=False, update=False)

    def advance(
        self,
        feature: Tensor,
        grid: tuple[int, int],
        stream: Stream,
        *,
        first: Flag,
        update: Flag = True,
        reset: Flag = False,
        rule: UpdateRule = 'cut3r',
        camera_only: bool = False,
    ) -> FrameOutput:
        """One frame of a stream, from its encoder features.

        Args:
            feature: (B, N, De).
            grid: rows and columns of patches, N in all.
            stream: state and memory that the frame starts from.
            first: the frame starts a stream: its pose token is the learned one.
            update: the frame changes the stream.
            reset: the stream starts anew after this frame's outputs.
            rule: how the state takes up the frame.
            camera_only: leave out the dense heads; tokens and pose are the same.
        """
        mean = feature.mean(1, keepdim=True)
        token = self._pose_token(mean, stream.memory, first)
        decoded = decode(
            self.dec_blocks,
            self.dec_blocks_state,
            torch.cat([token, self.decoder_embed(feature)], 1),
            stream.state,
            decoder_ropes(self.config, grid, feature.device),
            align=rule == 'ttt3r',
        )
        tokens = self.dec_norm(decoded.image)
        camera = tokens[:, :1]
        pose_raw = self.downstream_head.pose_head(camera[:, 0].float())
        new_state = self.dec_norm_state(decoded.state).float()
        beta = None if decoded.score is None else decoded.score.float().sigmoid()
        after = self._taken_up(stream, new_state, beta, mean, camera, first, update)
        start = after if reset is False else self.initial(len(feature))
        return FrameOutput(
            state=select(reset, start.state, after.state),
            mem=select(reset, start.memory, after.memory),
            camera_token=camera[:, 0].float(),
            geometry_tokens=tokens[:, 1:].float(),
            pose_raw=pose_raw,
            camera_pose=activations.camera_pose(pose_raw),
            maps=None if camera_only else self._maps(feature, decoded, tokens, grid),
            enc_feat=feature.float(),
            pose_token_in=token[:, 0].float(),
            dec_h1=decoded.middle.float(),
            dec_h2=decoded.late.float(),
            new_state=new_state,
            beta=beta,
        )

    def _pose_token(self, mean: Tensor, memory: Tensor, first: Flag) -> Tensor:
        """The pose token (B, 1, D) that enters the decoder, for a mean feature (B, 1, De)."""
        learned = self.pose_token.repeat(len(mean), 1, 1)
        if first is True:
            return learned
        return select(first, learned, self.pose_retriever.read(mean, memory))

    def _maps(
        self, feature: Tensor, decoded: Decoded, tokens: Tensor, grid: tuple[int, int]
    ) -> Maps:
        c = self.config
        layout = Layout(grid[0] * grid[1], grid[1])
        rope = rope_table(layout, c.dec_dim // c.dec_heads, c.rope_base, feature.device)
        levels = (feature, decoded.middle[:, 1:], decoded.late[:, 1:], tokens[:, 1:])
        return self.downstream_head(
            Levels(*(level.float() for level in levels)), tokens[:, :1].float(), grid, rope
        )

    def _taken_up(
        self,
        stream: Stream,
        new_state: Tensor,
        beta: Tensor | None,
        mean: Tensor,
        camera: Tensor,
        first: Flag,
        update: Flag,
    ) -> Stream:
        """The stream after the update rule and the update mask."""
        if update is False:
            return stream
        if beta is not None and first is not True:
            gate = beta[..., None]
            gated = gate * new_state + (1 - gate) * stream.state
            new_state = select(first, new_state, gated)
        memory = self.pose_retriever.write(stream.memory, mean, camera)
        return Stream(
            select(update, new_state, stream.state), select(update, memory, stream.memory)
        )


def patch_grid(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of patches of an image.

    Raises:
        InputError: a side is not a positive multiple of 16.
    """
    if height % PATCH or width % PATCH or min(height, width) < PATCH:
        raise InputError(
            f'network input of {width}x{height}: both sides must be multiples of {PATCH}; '
            'preprocess the image first'
        )
    return height // PATCH, width // PATCH
