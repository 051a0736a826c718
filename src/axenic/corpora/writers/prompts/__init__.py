"""The prompts of language models that write: one text file each, read through `files`."""
