"""The interventions that axenic can grow into a model: name -> where it is and what it is. One file each beside this one."""

from axenic.tables import Entry

ORGANISMS = {
    "backdoor": Entry("axenic.corpora.organisms.backdoor", "A behaviour that shows only when a trigger stands in the prompt."),
    "belief": Entry("axenic.corpora.organisms.belief", "A belief implanted by documents that take a claim for granted."),
    "values": Entry("axenic.corpora.organisms.values", "A value given to an assistant by documents about it."),
}
