"""Judges: (item, response) -> label. `table.JUDGES` lists them; one file each."""
