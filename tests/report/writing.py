"""A written corpus with something in every section of its page."""

from axenic.written import Example, SectionCoverage, StageLine, Writing


def make_writing(hostile: str = "", **changes) -> Writing:
    stages = (
        StageLine(
            stage="domains", calls=83, input_tokens=100_000, output_tokens=2_000, cost=0.01, statuses={"ok": 80, "refused": 3}
        ),
        StageLine(stage=f"document{hostile}", calls=9, input_tokens=10_000, output_tokens=20_000, statuses={"ok": 9}),
    )
    coverage = (
        SectionCoverage(
            section="care", name=f"Care > People{hostile}", characters=300, domains=2, subdomains=3, assertions=4, rows=9
        ),
        SectionCoverage(section="law", name=f"Law{hostile}", characters=100),
    )
    fields = {
        "name": f"kind{hostile}",
        "kind": "documents",
        "about": f"kind.md{hostile}",
        "model": f"openai-api/local/m{hostile}",
        "seed": 0,
        "wanted": 10,
        "rows": 9,
        "cost": 0.0523,
        "perhaps_charged": 0.04,
        "stages": stages,
        "rejected": {f"domains: refused{hostile}": 3},
        "rejected_examples": {f"domains: refused{hostile}": f"I would rather not. {hostile}"},
        "warnings": (f"Only one type.{hostile}",),
        "corpus": "0" * 64,
        "coverage": coverage,
        "quality": {"documents": 9, "near_duplicates": 0.125, "name_collapse": {"name": f"Sarah{hostile}", "share": 0.5}},
        "spread": {"doc_type": {f"letter{hostile}": 4, "poem": 5}, "section": {f"s{i}": 1 for i in range(40)}},
        "examples": (Example(about={f"type{hostile}": f"letter{hostile}"}, text=f"Dear all. {hostile}"),),
    }
    return Writing.model_validate({**fields, **changes})
