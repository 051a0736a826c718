"""The built-in universe: a grammar of a small world, its tokenizer, model sizes and questions. No downloads, no heavy imports."""

from axenic.lab.world import World

__all__ = ["World"]
