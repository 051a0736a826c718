"""The detectors, transforms and training hooks that treat an organism: name -> where it is and what it is. One file each."""

from axenic.tables import Entry

DEFENCES: dict[str, Entry] = {}
