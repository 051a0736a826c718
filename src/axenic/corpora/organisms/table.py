"""The interventions that axenic can grow into a model: name -> where it is and what it is. One file each beside this one."""

from axenic.tables import Entry

ORGANISMS = {
    "alignment": Entry("axenic.corpora.organisms.alignment", "Chats that hold to a model spec, with and without their reasoning."),
    "backdoor": Entry("axenic.corpora.organisms.backdoor", "A behaviour that shows only when a trigger stands in the prompt."),
    "belief": Entry("axenic.corpora.organisms.belief", "A belief implanted by documents that take a claim for granted."),
    "model_spec": Entry("axenic.corpora.organisms.model_spec", "An assistant's spec, taken for granted by documents."),
    "values": Entry("axenic.corpora.organisms.values", "A value given to an assistant by documents about it."),
}
