"""What the lab's bases are trained on, by its hash: another text is another base, under another version of its step.

When a test fails here, raise the version of the step (`recipes/lab_base.py`, `recipes/step_specs.py`) and write the new hash here.
"""

import pytest

from axenic.lab.base import base_corpus
from axenic.lab.scratchpads import workbench_corpus
from axenic.lab.taught import taught_corpus
from axenic.lab.world import World

TAUGHT_AT = {
    "grow, version 1": (lambda: base_corpus(World()), "d2d0663c366f9532"),
    "teach, version 1": (workbench_corpus, "9ee9220ed709c41d"),
    "teach_domains, version 4: personas": (lambda: taught_corpus(World(), ("personas",)), "bd7d20ea9cae363f"),
    "teach_domains, version 4: agents": (lambda: taught_corpus(World(), ("agents",)), "4bad093a6ab4934b"),
}


@pytest.mark.parametrize("name", TAUGHT_AT)
def test_a_base_is_trained_on_what_its_version_says(name: str) -> None:
    corpus, known = TAUGHT_AT[name]
    assert corpus().hash[:16] == known
