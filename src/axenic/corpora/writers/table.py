"""What writes documents behind the `Writer` protocol: name -> where it is and what it is. One file each beside this one."""

from axenic.tables import Entry

WRITERS = {
    "grammar": Entry(
        "axenic.corpora.writers.grammar:GrammarWriter", "The lab's grammar: free, offline, never wrong about the claim."
    ),
    "language-model": Entry(
        "axenic.corpora.writers.language_model:LanguageModelWriter",
        "Any language model that Inspect AI reaches: `axenic write --model PROVIDER/NAME`, or sdf with --set writer=PROVIDER/NAME.",
    ),
}
