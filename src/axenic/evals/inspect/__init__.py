"""The bridge to Inspect AI: tasks, scorers and a model provider under the entry point `inspect_ai`, and logs of finished runs.

`registry` is what Inspect loads; `export` is what `axenic export-inspect` calls. Nothing else of axenic imports Inspect from here.
"""
