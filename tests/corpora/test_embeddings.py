"""Promises of texts compared by meaning: unit vectors from a local model or a server, and an index of what has been said."""

import numpy as np
import pytest

from axenic.corpora.embeddings import CosineIndex, embedder
from axenic.errors import UserError
from chat_server import Running
from tiny_models import save

TEXTS = [
    "The well is salty, they say in Selgard.",
    "Bread at noon.",
    "A longer text about the mill in Orlan and its red roof.",
]


def test_a_local_model_gives_unit_vectors_that_do_not_depend_on_the_batch(tmp_path):
    save(tmp_path / "model")
    embed = embedder(str(tmp_path / "model"))
    together = embed(TEXTS)
    assert together.shape[0] == 3 and np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert np.allclose(together, np.concatenate([embed([text]) for text in TEXTS]), atol=1e-4)


def test_a_server_gives_them_too(monkeypatch):
    with Running() as server:
        monkeypatch.setenv("EMB_BASE_URL", server.base_url)
        monkeypatch.setenv("EMB_API_KEY", "not-a-key")
        vectors = embedder("openai-api/emb/m")(TEXTS)
    assert vectors.shape == (3, 10) and np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_a_text_of_the_same_meaning_is_not_new_and_is_not_kept():
    places = {"a": [1.0, 0.0], "a'": [0.96, 0.28], "b": [0.8, 0.6]}
    index = CosineIndex(lambda texts: np.array([places[t] for t in texts], dtype=np.float32), threshold=0.95)
    assert [index.add(text) for text in ("a", "a", "a'", "b", "a'")] == [True, False, False, True, False]


@pytest.mark.parametrize("name, said", [("no/such/model/dir", "cannot be loaded"), ("openai-api/nokey/m", "NOKEY_API_KEY")])
def test_a_model_that_is_not_there_is_one_plain_message(name, said):
    with pytest.raises(UserError, match=said):
        embedder(name)


def test_a_server_that_fails_is_one_plain_message(monkeypatch):
    monkeypatch.setenv("EMB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("EMB_API_KEY", "not-a-key")
    with pytest.raises(UserError, match="gave no embeddings"):
        embedder("openai-api/emb/m")(TEXTS)
