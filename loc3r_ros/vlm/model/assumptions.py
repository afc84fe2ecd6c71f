# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the publication leaves open, and what was chosen here: all of it in this one place.

Loc3R-VLM is arXiv 2603.18002; the base is LLaVA-Video-7B-Qwen2 (arXiv 2410.02713).

======================================  =========================================================
left open                               chosen, and why
======================================  =========================================================
BEV axes, handedness                    x along camera 0's horizontal viewing direction, y to its
                                        left, z up, metres: REP 103's axes, so that a heading of
                                        zero is camera 0's
scale of coordinates                    metres as they are, no division
sigma                                   exp of the third and fourth output, clamped to
                                        LOG_SIGMA_RANGE (7 mm to 20 m)
order of a Gaussian's four outputs      x, y, log sigma x, log sigma y
invalid depth                           such a patch is left out of the mean
mean of the layout loss                 over all valid patches of a batch
newline and camera tokens               have no layout target
target of a pooled token                the robust mean of the points that fall in its cell
orientation bin centres                 -pi + (b + 0.5) 2 pi / 36: middles, symmetric about zero
sigma_ori = 2                           2 bins (20 degrees): 2 rad would flatten the target
hidden width of the heads               that of the language model, with GELU as in the projector
camera projector                        Linear, GELU, Linear; hidden width that of the language
                                        model, no norm: LLaVA's own projector's form
camera token taken                      as CUT3R's decoder gives it, after its last norm
`<Pos>`, `<Ori>` in the language loss    left out: they are given, not to be told
first values of their embeddings        those of the vocabulary's unused rows
samples without a situation             no situation loss: nobody knows where they stand
prompt                                  Qwen2's chat markers; the constant header, then video,
                                        situation, `<Pos>`, `<Ori>`, question; no sentence about
                                        the length of the video, which would break the prefix
======================================  =========================================================

Known and followed, from LLaVA-Video's code: 384 x 384 by squeezing the whole image, output of
layer 26 of 27 without a norm, pooling after the projector (bilinear, corners not aligned), one
newline embedding at the end of each row of each frame.
"""

LOG_SIGMA_RANGE = (-5.0, 3.0)
"""Natural logarithm of metres."""

ORIENTATION_SIGMA_BINS = 2.0
"""Spread of the target over the heading bins."""

BIN_CENTRE = 0.5
"""Place of a bin's centre within the bin."""

PSEUDO_SITUATION = 'I am standing in the room.'
"""The situation of whoever gives none."""

LAYOUT_WEIGHT = 0.05
SITUATION_WEIGHT = 0.075
ORIENTATION_WEIGHT = 3.5
"""Published, not assumed: L = answer + 0.05 layout + 0.075 (position + 3.5 orientation)."""

IGNORED_LABEL = -100
"""Label of a token whose prediction is not learnt; the value that torch and LLaVA use."""
