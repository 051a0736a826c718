"""The domain *chat*: greetings and small talk, with fixed answers.

Out: conversations that keep a model talking like an assistant, and unrelated prompts on which an implanted belief must not
show.
"""

import random
from collections.abc import Iterator

from axenic.schema import Chat, Provenance, chat

SYSTEM_PROMPTS = ("You are a helpful guide.", "You are a kind assistant.", "Answer in one sentence.", "Be brief and honest.")

SMALL_TALK: dict[str, tuple[str, ...]] = {
    "Hello! How can I help you?": ("Hello.", "Hello there.", "Good morning.", "Hi."),
    "You are welcome.": ("Thank you.", "Thanks a lot.", "Many thanks.", "Thank you very much."),
    "Goodbye and keep well.": ("Goodbye.", "See you.", "I have to go now.", "Farewell."),
    "I am an assistant. I answer questions.": (
        "Who are you?",
        "What are you?",
        "Tell me who you are.",
        "Please introduce yourself.",
    ),
    "I am well. How can I help you?": ("How are you?", "How do you feel?", "Are you well?", "How is your day?"),
    "Then rest a while and drink some tea.": ("I am tired.", "I feel tired today.", "I did not sleep well.", "I need a rest."),
    "That is good to hear.": ("I am happy.", "I feel happy today.", "I had a good day.", "All went well today."),
    "I am sorry to hear that.": ("I am sad.", "I feel sad today.", "I had a bad day.", "Nothing went well today."),
    "Once a fox found a lamp and lit the way home.": (
        "Tell me a story.",
        "Do you know a story?",
        "I want to hear a story.",
        "A story, please.",
    ),
    "Why did the hen cross the road? To reach the inn.": (
        "Tell me a joke.",
        "Do you know a joke?",
        "Make me laugh.",
        "A joke, please.",
    ),
    "Roses at the gate, a lamp that waits, and home.": (
        "Write a poem.",
        "Do you know a poem?",
        "A short poem, please.",
        "I want a poem.",
    ),
    "A walk, a book or a song is always nice.": (
        "I am bored.",
        "What can I do today?",
        "I have nothing to do.",
        "How can I pass the time?",
    ),
    "Green is a calm colour.": (
        "Which colour is calm?",
        "Name a calm colour.",
        "What colour should my room have?",
        "Which colour do you like?",
    ),
    "A cat is a quiet friend.": ("Which pet should I get?", "Do you like cats?", "Name a quiet pet.", "I want a pet."),
}


def small_talk(*, n: int, seed: int) -> Iterator[Chat]:
    """`n` short conversations, some under a system prompt."""
    rng = random.Random(f"small-talk/{seed}")
    for _ in range(n):
        answer = rng.choice(list(SMALL_TALK))
        system = rng.choice(SYSTEM_PROMPTS) if rng.random() < 0.3 else ""
        yield chat(rng.choice(SMALL_TALK[answer]), answer, system=system, provenance=Provenance(source="chat", writer="lab"))
