"""Specs: what shall be put into a model, as files that people write. They flow into corpora and into evals alike."""
