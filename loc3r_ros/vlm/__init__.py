"""Answers in words: what a spatial language model must offer, and the stand-in without one."""
