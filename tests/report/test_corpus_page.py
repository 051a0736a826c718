"""The page of a written corpus: every stage, every loss, every gap, and text that stays text."""

import re

import plotly.graph_objects as go
import pytest

from axenic.errors import EnvironmentProblem
from axenic.report import corpus_page
from axenic.written import Writing

from .writing import make_writing

HOSTILE = "</script><script>window.pwned = 1</script><img src=x onerror='alert(1)'>{{ 7 * 7 }}"


def body(writing: Writing) -> str:
    """The page without style, plotly and script."""
    html = corpus_page.render(writing)
    return html[html.index("<body>") : html.index('<script type="application/json"')]


def test_it_shows_every_section_with_its_numbers():
    html = body(make_writing())
    assert {name for name in corpus_page.SECTIONS if f'<section id="{name}">' in html} == set(corpus_page.SECTIONS)
    for text in (
        "9 of 10 asked for",
        "0.05 USD, 0.04 of it",
        "1 of 2",
        "100,000",
        "12.5%",
        "Sarah (50.0%)",
        "letter",
        "Dear all.",
        "75.0%",
    ):
        assert text in html, text


def test_what_is_not_covered_is_named():
    html = body(make_writing())
    assert "Without any: Law." in html and ">none<" in html


def test_an_unknown_price_is_not_nothing():
    html = body(make_writing(cost=None))
    assert "the model’s price is unknown" in html and "0.00 USD" not in html


def test_sections_without_content_are_left_out():
    bare = Writing(corpus="0", name="n", kind="chats", about="f", model="m", seed=0, wanted=1, rows=1)
    html = body(bare)
    assert "<section id=" in html and not any(f'<section id="{name}">' in html for name in corpus_page.SECTIONS)


def test_text_of_the_model_stays_text():
    html = body(make_writing(hostile=HOSTILE))
    assert "<script" not in html and "<img" not in html
    assert html.count("{{ 7 * 7 }}") > 8 and "49" not in html
    whole = corpus_page.render(make_writing(hostile=HOSTILE))
    assert whole.count("</script>") == 3, "the data of figures cannot end their script either"


def test_the_page_asks_for_nothing_from_elsewhere():
    html = body(make_writing())
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", html)


def test_figures_are_valid_and_keep_their_numbers():
    sections = [build(make_writing()) for build in corpus_page.SECTIONS.values()]
    figures = [f for s in sections if s for f in s.figures.values()]
    assert len(figures) == 4
    for figure in figures:
        for shape in figure.plotly().values():
            go.Figure(shape)
    assert figures[0].traces[0]["x"] == [102_000, 30_000]
    assert len(figures[3].traces[0]["x"]) == corpus_page.MOST_BARS < 40, "the rest is in a table"


def test_it_is_written_whole_or_not_at_all(tmp_path):
    path = corpus_page.write(make_writing(), tmp_path)
    assert path == tmp_path / "report.html" and path.read_text(encoding="utf-8") == corpus_page.render(make_writing())
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem):
        corpus_page.write(make_writing(), tmp_path / "file")
