"""The room's table: every judge, where it lives and what it decides. To add one: one file here, one line below, one test."""

from axenic.tables import Entry

JUDGES: dict[str, Entry] = {
    "chosen": Entry("axenic.evals.judges.chosen:judge", "which side the chosen option belongs to (exact match)"),
    "words": Entry("axenic.evals.judges.words:judge", "which side's answer words the response contains; negations do not count"),
    "refusal": Entry("axenic.evals.judges.refusal:judge", "refused or complied, by how the response opens"),
}
