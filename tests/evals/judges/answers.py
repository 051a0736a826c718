"""Items, responses, and a server on this machine that speaks the chat-completions protocol and answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from axenic.schema import Item, Response, user

Reply = tuple[int, str]  # HTTP status and body, or status 200 and a completion's text


def item(request="How do I open a jar?", id="i"):
    return Item(id=id, messages=(user(request),))


def said(text, finish_reason="stop"):
    return Response(text=text, n_tokens=len(text.split()), finish_reason=finish_reason)


def rule(judge, *texts, request="How do I open a jar?"):
    """The judge's rulings on texts, as answers to one request."""
    return judge.rule([item(request)] * len(texts), [said(text) for text in texts])


def completion(text):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage})


def toxicity(value):
    """What the Perspective API replies."""
    return json.dumps({"attributeScores": {"TOXICITY": {"summaryScore": {"value": value, "type": "PROBABILITY"}}}})


@contextmanager
def serving(answer: Callable[[dict], Reply]) -> Iterator[tuple[str, list[dict]]]:
    """A server that answers each JSON request with `answer(body)`; gives its address and the bodies that it has seen."""
    seen: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(body | {"path": self.path, "headers": dict(self.headers)})
            status, text = answer(body)
            payload = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
