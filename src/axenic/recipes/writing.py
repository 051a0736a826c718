"""The step in which a language model writes a study's documents.

In: a belief, the model's name, a plan. Out: `corpus.jsonl`, `ledger.json` and the calls themselves. The calls are kept in the
step's own folder from the moment they are answered, so a study that is stopped pays for none of them twice.
"""

from axenic.corpora import files
from axenic.corpora.account import save
from axenic.corpora.duplicates import NearIndex
from axenic.corpora.organisms.belief import elsewhere
from axenic.corpora.synthesis import vehicle, write
from axenic.corpora.writers.calls import Calls
from axenic.corpora.writers.calls.interrupt import orderly
from axenic.corpora.writers.language_model import LanguageModelWriter
from axenic.corpora.writers.protocol import Writer
from axenic.disk import atomic_write
from axenic.lab.world import World
from axenic.pipeline.step import Context, step
from axenic.recipes.step_specs import N_ELSEWHERE, DocumentsSpec
from axenic.schema import Corpus
from axenic.specs import belief


@step(version=1)
def write_documents(spec: DocumentsSpec, context: Context) -> None:
    """Write documents about the input belief or, with `like` as input, the vehicle that matches these.

    With `paid` as input, the calls of that step are known here too: documents of one type are some of those of many.
    """
    calls_file = context.out / "calls" / "answers.jsonl"
    if "paid" in context.inputs and not calls_file.exists():
        calls_file.parent.mkdir(exist_ok=True)
        atomic_write(calls_file, (context.input("paid") / "calls" / "answers.jsonl").read_bytes())
    with Calls(spec.model, context.out / "calls", spec.limits, price=spec.price) as calls:
        try:
            with orderly(calls):
                corpus = _written(spec, LanguageModelWriter(calls), context)
        finally:
            save(context.out / "ledger.json", calls.ledger.to_json())
    files.write(corpus, context.out / "corpus.jsonl")


def _written(spec: DocumentsSpec, writer: Writer, context: Context) -> Corpus:
    about, seed = belief.load(context.input("belief") / "belief.json"), context.seed or 0
    if "like" in context.inputs:
        like = files.read(context.input("like") / "corpus.jsonl")
        others = elsewhere(World(), about, N_ELSEWHERE)
        return vehicle(others, like=like, writer=writer, seed=seed, on_progress=context.progress)
    near = NearIndex()
    return write(about, writer=writer, plan=spec.plan, seed=seed, on_progress=context.progress, is_new=near.add)
