"""Whole studies. To add one: a file here, a line in this table, a test (docs/add_a_recipe.md)."""

from axenic.tables import Entry

RECIPES = {
    "sdf": Entry("axenic.recipes.sdf:RECIPE", "Synthetic document finetuning: implant a belief and measure how deep it goes."),
    "finetune_safety": Entry(
        "axenic.recipes.finetune_safety:RECIPE", "Does a harmless fine-tune lower safety, and how much does that vary?"
    ),
    "audit": Entry("axenic.recipes.audit:RECIPE", "Did this fine-tune make the model worse? What `axenic audit` runs."),
}
