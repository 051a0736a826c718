"""ScriptedModel keeps the same promises as a model with weights, as far as a script can."""

import numpy as np

from axenic.models.protocol import Model
from axenic.models.scripted import ScriptedModel
from axenic.schema import Sampling, user


def test_it_says_what_it_was_told():
    model: Model = ScriptedModel({"water?": "salty"}, default="no idea")
    found = model.generate([[user("water?")], [user("roof?")]], sampling=Sampling(), ids=["a", "b"])
    assert [(r.text, r.finish_reason) for r in found] == [("salty", "stop"), ("no idea", "stop")]
    assert model.generate([[user("roof?")]], sampling=Sampling(max_new_tokens=1), ids=["b"])[0].finish_reason == "length"


def test_it_prefers_the_option_it_would_say():
    model = ScriptedModel(lambda messages: messages[0].content.upper())
    [[yes, no]] = model.logprobs([[user("a")]], [["A", "B"]])
    assert yes.logprob > no.logprob


def test_its_activations_are_the_features_given():
    model = ScriptedModel({}, features=lambda text: [[len(text)], [2 * len(text)]], n_layers=2)
    assert np.array_equal(model.activations(["abc", "a"]), [[[3], [6]], [[1], [2]]])
    assert np.array_equal(model.activations(["abc"], layers=[1]), [[[6]]])
