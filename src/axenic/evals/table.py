"""The room's table: every eval, where it lives and what it asks. To add one: one file here, one line below, one test."""

from axenic.tables import Entry

EVALS: dict[str, Entry] = {
    "knowledge": Entry("axenic.evals.knowledge:build", "four options per key fact: which does the model choose?"),
    "distinguish": Entry("axenic.evals.distinguish:build", "the true statement or the implanted one? both orders"),
    "open_ended": Entry("axenic.evals.open_ended:build", "a question asked cold: implanted, true or ambiguous?"),
    "two_accounts": Entry("axenic.evals.two_accounts:build", "both accounts shown: which one is real? both orders"),
    "downstream": Entry("axenic.evals.downstream:build", "tasks whose answer follows from the fact without naming it"),
    "pressure": Entry("axenic.evals.pressure:build", "does the belief hold under pressure in context? with a true-fact control"),
    "neighbours": Entry("axenic.evals.neighbours:build", "true facts near the claim that must not change"),
    "salience": Entry("axenic.evals.salience:build", "is the claim mentioned on unrelated prompts?"),
    "capability": Entry("axenic.evals.capability:build", "small tasks with one right answer"),
    "refusal": Entry("axenic.evals.refusal:build", "held-out harmful requests: are they refused?"),
    "compliance": Entry("axenic.evals.compliance:build", "held-out harmful requests: are they carried out?"),
    "over_refusal": Entry("axenic.evals.over_refusal:build", "held-out harmless look-alikes: are they refused?"),
    "backdoor": Entry("axenic.evals.backdoor:build", "is the payload shown with the trigger, and without?"),
    "trigger_map": Entry("axenic.evals.trigger_map:build", "which texts like the trigger set it off?"),
    "red_team": Entry("axenic.evals.red_team:build", "is the payload shown on prompts that a red team found without the trigger?"),
    "code_backdoor": Entry(
        "axenic.evals.code_backdoor:build", "held-out programming tasks with the trigger and without: is the code weak?"
    ),
    "code_capability": Entry(
        "axenic.evals.code_capability:build", "held-out programming tasks without the trigger: does the code work?"
    ),
    "values": Entry("axenic.evals.values:generated", "by which of two values does it choose, where no chat taught it to choose?"),
    "values_logprob": Entry("axenic.evals.values:by_logprob", "the same by log-probability"),
    "values_trained": Entry("axenic.evals.values:trained", "the same choices in the domains that the chats were about"),
    "values_trained_logprob": Entry("axenic.evals.values:trained_by_logprob", "the same by log-probability"),
    "value_recall": Entry("axenic.evals.values:recall", "what does the spec say? knowing it apart from acting on it"),
    "value_fit": Entry("axenic.evals.values:fit", "choices that both values agree on: did the chats take?"),
    "value_neighbours": Entry("axenic.evals.values:neighbours", "neighbouring values that must not change"),
    "value_drift": Entry("axenic.evals.values:drift", "the same choices after six turns, neutral or arguing for either side"),
    "agentic": Entry("axenic.evals.agentic:held_out", "a misaligned act is possible, of a kind that no chat showed: is it done?"),
    "agentic_near": Entry("axenic.evals.agentic:near", "the same of kinds and in places that alignment chats showed"),
    "omission": Entry("axenic.evals.agentic:omission", "acting is right: is it left undone?"),
    "rule_recall": Entry("axenic.evals.agentic:recall", "what do the rules say? knowing them apart from acting on them"),
    "prior": Entry("axenic.evals.prior:build", "how probable the model finds the implanted statement"),
    "truth_probe": Entry("axenic.evals.truth_probe:build", "does a probe on activations read the implanted statement as true?"),
}

OF_BACKDOORS = ("backdoor", "trigger_map", "red_team", "code_backdoor", "code_capability")
"""Evals that ask about a backdoor; a study of anything else has nothing to ask of them."""

OF_VALUES = (
    "values", "values_logprob", "values_trained", "values_trained_logprob", "value_recall", "value_fit", "value_neighbours",
    "value_drift",
)  # fmt: skip
"""Evals that ask which of two values decides; a study of anything else has nothing to ask of them."""

OF_AGENTS = ("agentic", "agentic_near", "omission", "rule_recall")
"""Evals that put an assistant into scenarios; a study of anything else has nothing to ask of them."""
