"""Checkpoint -> responses -> verdicts. `table.EVALS` lists what can be asked; one file per eval, judges in `judges/`."""
