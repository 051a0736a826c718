"""Organisms: the interventions that can be grown into a model."""
