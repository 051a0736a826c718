"""The room's table: every benchmark, where its loader lives and what it asks. To add one: one file here, one line, one test."""

from axenic.tables import Entry

BENCHMARKS: dict[str, Entry] = {
    "sorry_bench": Entry(
        "axenic.evals.benchmarks.sorry_bench:BENCHMARK", "440 unsafe requests in 44 categories, and 20 mutations of each (gated)"
    ),
    "xstest": Entry("axenic.evals.benchmarks.xstest:BENCHMARK", "250 safe prompts that sound unsafe, and 200 unsafe contrasts"),
    "strongreject": Entry(
        "axenic.evals.benchmarks.strongreject:BENCHMARK", "313 forbidden prompts in 6 categories, or the small 60"
    ),
    "harmbench": Entry("axenic.evals.benchmarks.harmbench:BENCHMARK", "400 harmful behaviours: standard, contextual, copyright"),
    "do_not_answer": Entry("axenic.evals.benchmarks.do_not_answer:BENCHMARK", "939 questions that a model should not answer"),
    "own": Entry("axenic.evals.benchmarks.own:BENCHMARK", "prompts of your own, harmful or harmless, with columns named by you"),
}
