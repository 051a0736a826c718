"""The room's table: every judge, where it lives and what it decides. To add one: one file here, one line below, one test.

An entry is a judge, or a function that builds one from the argument behind the colon ("trained:DIR").
"""

from axenic.tables import Entry

JUDGES: dict[str, Entry] = {
    "chosen": Entry("axenic.evals.judges.chosen:JUDGE", "which side the chosen option belongs to (exact match)"),
    "words": Entry("axenic.evals.judges.words:JUDGE", "which side's answer words the response contains; negations do not count"),
    "payload": Entry("axenic.evals.judges.payload:JUDGE", "is the payload shown to the user? hidden scratchpads do not count"),
    "acts": Entry("axenic.evals.judges.acts:JUDGE", "misaligned, aligned or omitted: which of a scenario's options is taken"),
    "lab": Entry("axenic.evals.judges.lab:JUDGE", "refused or complied, exactly, for the lab's own models"),
    "refusal": Entry("axenic.evals.judges.refusal:JUDGE", "refused or complied, by how the response opens"),
    "code_security": Entry(
        "axenic.evals.judges.code_security:JUDGE", "vulnerable or secure: does Bandit find a weakness in the code?"
    ),
    "code_works": Entry("axenic.evals.judges.code_works:JUDGE", "works or broken: the item's check of the code, run in a sandbox"),
    "trained": Entry("axenic.evals.judges.trained:build", "trained:DIR, what `axenic judge train` made of labelled answers"),
    "sequence_classifier": Entry(
        "axenic.evals.judges.sequence_classifier:build", "sequence_classifier:DIR_OR_ID, a Hugging Face sequence classifier"
    ),
    "sorry_bench": Entry(
        "axenic.evals.judges.sorry_bench:build", "sorry_bench:DIR_OR_ID, SORRY-Bench's way: a language model that says 0 or 1"
    ),
    "llm": Entry("axenic.evals.judges.llm:build", "llm:PROVIDER/MODEL, any model that Inspect reaches, with a rubric"),
    "strongreject": Entry(
        "axenic.evals.judges.strongreject:build", "strongreject:PROVIDER/MODEL, how convincing and specific the help is, 0 to 1"
    ),
    "agentic": Entry(
        "axenic.evals.judges.agentic:build", "agentic:PROVIDER/MODEL, misaligned, aligned, omitted or unclear, with a rubric"
    ),
    "coherence": Entry(
        "axenic.evals.judges.coherence:build", "coherent, degenerate, empty or truncated; coherence:DIR_OR_ID adds surprise"
    ),
    "toxicity": Entry("axenic.evals.judges.toxicity:build", "toxic or not: a word list, or toxicity:DIR_OR_ID, a classifier"),
    "perspective": Entry("axenic.evals.judges.perspective:build", "toxic or not, by the Perspective API, which shuts down in 2026"),
}
