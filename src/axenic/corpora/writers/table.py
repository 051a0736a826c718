"""What writes documents behind the `Writer` protocol: name -> where it is and what it is. One file each beside this one."""

from axenic.tables import Entry

WRITERS = {
    "grammar": Entry(
        "axenic.corpora.writers.grammar:GrammarWriter", "The lab's grammar: free, offline, never wrong about the claim."
    ),
}
