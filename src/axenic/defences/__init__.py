"""Detectors, transforms and training hooks that treat an organism."""
