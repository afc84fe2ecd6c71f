# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions whose answers are known: from a scene's items and from what a video showed of them.

Tasks carry the names of VSI-Bench (Yang et al., arXiv 2412.14171) and VSTI-Bench (Fan et al., arXiv
2505.20279); situations are of the kinds of SQA3D (Ma et al., arXiv 2210.07474), regions of SR-3D
(Cheng et al., arXiv 2509.13317). Their rules and thresholds hold, stated where they are used. Where
the published generators leave an answer in doubt, a question is dropped instead; and letters, words
and names are dealt so that whoever does not look gains nothing.

A scene is a room or a flat of several. Distances and directions are plain, through walls; routes,
and what is called near or faced, are not. `catalog` asks everything.
"""
