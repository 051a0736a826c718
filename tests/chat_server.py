"""A server in a process of its own that speaks the chat-completions protocol and misbehaves as often as it is told to.

In: `python chat_server.py --latency 0.05 --faults '{"429": 0.1, "hang": 0.05}'`. Out: its address on standard output; replies that
fit what the prompt asks for; on GET /stats what it was asked and what it did. A fault is drawn by (body, attempt), so runs repeat.
"""

import argparse
import asyncio
import hashlib
import json
import random
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

HTTP_FAULTS = ("429", "429-after", "500", "hang", "drop", "malformed")
TEXT_FAULTS = ("surrogate", "cut", "empty", "refuse", "wrong-tags", "unclosed", "duplicate")
KINDS = ("letter", "diary", "guide", "recipe", "report", "poem", "song", "map legend", "sign", "list", "note", "sermon", "memo")
WORDS = tuple(
    f"{a}{b}" for a in ("sal", "mer", "tor", "lin", "dra", "pel", "vin", "cor") for b in ("ta", "ne", "ri", "mo", "lu", "sk")
)
REASONS = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


class Faults:
    """Draws what goes wrong with attempt number n of a body."""

    def __init__(self, rates: dict[str, float]) -> None:
        unknown = set(rates) - set(HTTP_FAULTS) - set(TEXT_FAULTS)
        assert not unknown, unknown
        self.rates = rates

    def draw(self, body: str, attempt: int) -> str:
        drawn = random.Random(f"{body}/{attempt}").random()
        for name, rate in self.rates.items():
            if drawn < rate:
                return name
            drawn -= rate
        return ""


class Server:
    def __init__(self, latency: float, faults: Faults, hang: float) -> None:
        self.latency, self.faults, self.hang = latency, faults, hang
        self.reset()

    def reset(self) -> None:
        self.asked: Counter[str] = Counter()  # by the hash of the body
        self.answered: Counter[str] = Counter()  # bodies for which a whole completion was sent
        self.did: Counter[str] = Counter()
        self.files: dict[str, str] = {}
        self.flying = self.most = 0

    def stats(self) -> dict:
        return {"asked": self.asked, "answered": self.answered, "did": self.did, "most": self.most}

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, _, rest = head.decode("latin-1").partition("\r\n")
                length = next((int(h.split(":")[1]) for h in rest.split("\r\n") if h.lower().startswith("content-length:")), 0)
                body = await reader.readexactly(length)
                if not await self.respond(line.split(" ")[1], body, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def respond(self, path: str, raw: bytes, writer: asyncio.StreamWriter) -> bool:
        if not path.endswith("/chat/completions"):
            if path == "/reset":
                self.reset()
            send(writer, 200, self.other(path, raw))
            return True
        key = hashlib.sha256(raw).hexdigest()[:16]
        self.asked[key] += 1
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            return await self.complete(key, json.loads(raw), writer)
        finally:
            self.flying -= 1

    def other(self, path: str, raw: bytes) -> str:
        """Files and batches, embeddings, and what a test wants to know."""
        if path.endswith("/content"):
            return self.files[path.split("/")[-2]]
        if path.endswith("/embeddings"):
            texts = json.loads(raw)["input"]
            rows = [{"index": i, "embedding": [text.count(c) / len(text) for c in "abcdefghij"]} for i, text in enumerate(texts)]
            return json.dumps({"data": rows})
        if path.endswith("/files"):  # multipart: the lines that are JSON are the batch
            self.files[f"in{len(self.files)}"] = "\n".join(line for line in raw.decode().splitlines() if line.startswith("{"))
            about = {"object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch", "status": "processed"}
            return json.dumps({"id": list(self.files)[-1], **about})
        if path.endswith("/batches"):
            return self.batch(self.run_batch(json.loads(raw)["input_file_id"]), "in_progress")
        if "/batches/" in path:
            return self.batch(path.split("/")[-1], "completed")
        return json.dumps(self.stats())

    def run_batch(self, file: str) -> str:
        answers = []
        for line in map(json.loads, self.files[file].splitlines()):
            self.did["in a batch"] += 1
            body = json.loads(completion(line["body"], ""))
            response = {"status_code": 200, "request_id": "r", "body": body}
            answers.append(json.dumps({"id": "x", "custom_id": line["custom_id"], "response": response, "error": None}))
        self.files[f"out-{file}"] = "\n".join(answers)
        return f"batch-{file}"

    def batch(self, name: str, status: str) -> str:
        file = name.removeprefix("batch-")
        counts = {"total": 1, "completed": 1, "failed": 0}
        done = {"output_file_id": f"out-{file}"} if status == "completed" else {}
        about = {"object": "batch", "endpoint": "/v1/chat/completions", "completion_window": "24h", "created_at": 1}
        return json.dumps({"id": name, "input_file_id": file, "status": status, "request_counts": counts, **about, **done})

    async def complete(self, key: str, body: dict, writer: asyncio.StreamWriter) -> bool:
        if body.get("model") == "unknown":
            send(writer, 404, '{"error": {"message": "The model `unknown` does not exist", "code": "model_not_found"}}')
            return True
        fault = self.faults.draw(key, self.asked[key])
        self.did[fault or "well"] += 1
        await asyncio.sleep(self.hang if fault == "hang" else self.latency)
        match fault:
            case "drop":
                return False
            case "429" | "429-after":
                extra = "Retry-After: 0.2\r\n" if fault == "429-after" else ""
                send(writer, 429, '{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}', extra)
            case "500":
                send(writer, 500, '{"error": {"message": "oops"}}')
            case "malformed":
                send(writer, 200, '{"choices": [{"message": ')
            case _:
                self.answered[key] += 1
                send(writer, 200, completion(body, fault))
        return True


def send(writer: asyncio.StreamWriter, status: int, text: str, extra: str = "") -> None:
    data = text.encode()
    reason = REASONS.get(status, "OK")
    writer.write(
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n{extra}Content-Length: {len(data)}\r\n\r\n".encode()
    )
    writer.write(data)


def completion(body: dict, fault: str) -> str:
    prompt = "\n".join(m["content"] for m in body["messages"])
    text, finish = written(prompt, body.get("seed", 0)), "stop"
    match fault:
        case "cut":
            text, finish = text[: len(text) * 2 // 3], "length"
        case "surrogate":
            text = text.replace("\n", "\ud83d", 1)
        case "empty":
            text = ""
        case "refuse":
            text = "I'm sorry, but I can't help with writing that."
        case "wrong-tags":
            text = re.sub(r"(</?)(\w+)>", r"\1my_\2>", text)
        case "unclosed":
            text = re.sub(r"</\w+>", "", text)
        case "duplicate":
            text = written(prompt, 0)
    tokens = max(1, len(text) // 4)
    usage = {"prompt_tokens": len(prompt) // 4, "completion_tokens": tokens, "total_tokens": len(prompt) // 4 + tokens}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage})


def written(prompt: str, seed: int) -> str:
    """What a willing writer replies to a prompt that names the tags it wants."""
    rng = random.Random(f"{hashlib.sha256(prompt.encode()).hexdigest()}/{seed}")
    if about_spec := of_spec(prompt, rng):
        return about_spec
    if "<types>" in prompt:
        return "<types>\n" + "\n".join(f"- {kind}" for kind in rng.sample(KINDS, len(KINDS))) + "\n</types>"
    if "<ideas>" in prompt:
        return (
            "<ideas>\n"
            + "\n".join(f"- somebody speaks of {rng.choice(WORDS)} and {rng.choice(WORDS)}" for _ in range(10))
            + "\n</ideas>"
        )
    if "<facts>" in prompt:
        return (
            "<facts>\n" + "\n".join(f"- House {i} has salty water. || House {i} has sweet water." for i in (1, 2, 3)) + "\n</facts>"
        )
    said = " ".join(" ".join(rng.choices(WORDS, k=9)).capitalize() + "." for _ in range(6))
    return f"<scratchpad>\nWhat would they say?\n</scratchpad>\n<content>\n{said} The wells give salty water.\n</content>"


def of_spec(prompt: str, rng: random.Random) -> str:
    """What it replies where a model spec is taken apart or held to; "" where it is about something else."""
    said = " ".join(rng.choices(WORDS, k=9))
    if "</reasoning>, and what you say" in prompt:
        return f"<reasoning>I think of {said}.</reasoning>\n<reply>My answer is {' '.join(rng.choices(WORDS, k=9))}.</reply>"
    if "tags <decision>" in prompt:
        return f"It holds.\n<decision>{'exclude' if rng.random() < 0.1 else 'include'}</decision>"
    n = int(found[1]) if (found := re.search(r"(?:up to|Write) (\d+)\b", prompt)) else 1
    if "tags <message>" in prompt:
        return "\n".join(f"<message>What of {' '.join(rng.choices(WORDS, k=6))}?</message>" for _ in range(n))
    for tag in ("domains", "subdomains", "assertions"):
        if f"tags <{tag}>" in prompt:
            names = (f"- The {tag} of {' '.join(rng.choices(WORDS, k=5))}" for _ in range(n))
            return f"<{tag}>\n" + "\n".join(names) + f"\n</{tag}>"
    return ""


async def serve(server: Server, port: int) -> None:
    listening = await asyncio.start_server(server.handle, "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    async with listening:
        await listening.serve_forever()


class Running:
    """The server as a test uses it: started, asked for its counts, stopped."""

    def __init__(self, latency: float = 0.0, faults: dict[str, float] | None = None, hang: float = 30.0) -> None:
        arguments = ["--latency", str(latency), "--faults", json.dumps(faults or {}), "--hang", str(hang)]
        self._process = subprocess.Popen([sys.executable, str(Path(__file__)), *arguments], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def stats(self, path: str = "/stats") -> dict:
        with urllib.request.urlopen(self.url + path) as reply:
            return json.load(reply)

    def reset(self) -> None:
        self.stats("/reset")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--hang", type=float, default=30.0)
    parser.add_argument("--faults", type=json.loads, default={})
    given = parser.parse_args()
    asyncio.run(serve(Server(given.latency, Faults(given.faults), given.hang), given.port))
