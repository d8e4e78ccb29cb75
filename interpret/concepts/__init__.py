"""Patches and words in one space: a CLIP-like model's embeddings, patches that a phrase finds, words for units."""
