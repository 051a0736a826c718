"""Benchmarks of other people, read from where the user got them: rows -> evals. `table.BENCHMARKS` lists them; one file each."""
