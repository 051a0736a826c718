"""How questions are laid out: one text file per layout, read through `axenic.prompts.render`."""
