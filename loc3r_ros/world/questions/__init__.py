# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions whose answers are known: from a scene's items and from what a video showed of them.

Tasks carry the names of VSI-Bench (Yang et al., arXiv 2412.14171). Its rules and thresholds hold,
stated where they are used. Where the published generators leave an answer in doubt, a question is
dropped instead.
"""
