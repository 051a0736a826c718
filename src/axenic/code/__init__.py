"""Code that a model wrote: found in a reply, scanned for weaknesses, run in a restricted process. No heavy imports."""
