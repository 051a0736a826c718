"""Whole studies. To add one: a file here, a line in this table, a test (docs/add_a_recipe.md)."""

from axenic.tables import Entry

RECIPES = {
    "sdf": Entry("axenic.recipes.sdf:RECIPE", "Synthetic document finetuning: implant a belief and measure how deep it goes."),
}
