"""The lab's tokenizer: a byte-level BPE trained on the lab's own texts, with its chat template.

In: a corpus and a vocabulary size. Out: a Hugging Face fast tokenizer. Byte-level, so that any text at all can be encoded.
"""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from axenic.schema import Corpus, Document

BOS, END, PAD, SYSTEM, USER, ASSISTANT, DOCTAG = (
    "<|begin|>",
    "<|end|>",
    "<|pad|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|doctag|>",
)


def train_tokenizer(corpus: Corpus, *, vocabulary: int) -> PreTrainedTokenizerFast:
    """Train the lab's tokenizer.

    Args:
        corpus: Texts to learn the merges from.
        vocabulary: Number of tokens, special ones included; at least 300.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, BOS, END, SYSTEM, USER, ASSISTANT, DOCTAG],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (r.text if isinstance(r, Document) else "\n".join(m.content for m in r.messages) for r in corpus.rows)
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False
    )
    fast.add_special_tokens({"additional_special_tokens": [SYSTEM, USER, ASSISTANT, DOCTAG]}, replace_extra_special_tokens=False)
    fast.chat_template = Path(__file__).with_name("chat_template.jinja").read_text(encoding="utf-8").rstrip("\n")
    return fast
