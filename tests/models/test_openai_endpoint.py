"""An endpoint that fails, stalls or talks nonsense costs a retry, a row or a one-line error; never the key."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lamina.errors import ModelError, ModelReferenceError
from lamina.models import Model, Reply, Request, open_model

KEY = "sk-very-secret-1234567890"
CALLS = json.dumps({"calls": [{"name": "split_bill", "arguments": {"total": 84, "people": 4}}]})

Ask = Callable[..., Request]


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def said(cls, text: Any, **usage: Any) -> Answer:
        row = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage or None}
        return cls(body=json.dumps(row).encode())


class Endpoint:
    """Gives its answers in order, the last one again and again; keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.sent: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.url = ""
        self._lock = threading.Lock()

    def next(self, sent: dict[str, Any], key: str | None) -> Answer:
        with self._lock:
            self.sent.append(sent)
            self.keys.append(key)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = state.next({"path": self.path, **sent}, self.headers.get("authorization"))
            time.sleep(answer.seconds)
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:
                pass  # whoever asked has given up

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def model(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    opened = open_model(f"openai:tiny@{endpoint.url}", backoff=0.001, timeout=5)
    yield opened
    opened.close()


def one(model: Model, request: Request) -> Reply:
    return model.generate([request])[0]


def test_calls_come_back_and_the_schema_goes_out(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer.said(CALLS, prompt_tokens=7, completion_tokens=5)]
    reply = one(model, ask(style="full", seed=3, stop=["\n\n"]))
    assert [(c.name, c.arguments) for c in reply.calls] == [("split_bill", {"total": 84, "people": 4})]
    assert (reply.problem, reply.prompt_tokens, reply.completion_tokens) == (None, 7, 5)
    sent = endpoint.sent[0]
    assert sent["path"] == "/v1/chat/completions"
    assert (sent["model"], sent["seed"], sent["temperature"], sent["stop"]) == ("tiny", 3, 0.0, ["\n\n"])
    assert sent["response_format"]["json_schema"]["schema"]["properties"]["calls"]["type"] == "array"
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert '"name": "split_bill"' in sent["messages"][0]["content"]
    assert endpoint.keys == [f"Bearer {KEY}"]


def test_baked_and_plain_requests_carry_no_tools(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer.said("[]")]
    assert one(model, ask()).problem is None
    one(model, ask(tools=None, style="plain"))
    assert [[m["role"] for m in s["messages"]] for s in endpoint.sent] == [["user"], ["user"]]
    assert "response_format" not in endpoint.sent[1]


def events(*found: dict[str, Any]) -> Answer:
    """As a server sends an answer part by part."""
    lines = [f"data: {json.dumps(event)}\n\n" for event in found]
    return Answer(body="".join([": ping\n\n", *lines, "data: [DONE]\n\n"]).encode())


def delta(text: str, end: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": end}], "usage": None}


def test_a_timed_answer_is_streamed_and_its_first_token_and_tokens_are_known(model: Any, endpoint: Endpoint, ask: Ask):
    usage = {"prompt_tokens": 40, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 30}}
    endpoint.answers = [events(delta(""), delta("one "), delta("two", "length"), {"choices": [], "usage": usage})]
    reply = model.timed(ask(tools=None, style="plain"), cached=False)
    assert (reply.text, reply.truncated, reply.problem) == ("one two", True, None)
    assert 0 < reply.first_token_seconds <= reply.seconds
    assert (reply.prompt_tokens, reply.completion_tokens, reply.timings["prompt_n"]) == (40, 3, 10)
    assert endpoint.sent[0]["stream"]
    assert endpoint.sent[0]["stream_options"] == {"include_usage": True}


def test_calls_of_an_answer_that_was_cut_are_not_taken_for_all_of_them(model: Any, endpoint: Endpoint, ask: Ask):
    said = '[{"name": "split_bill", "arguments": {"total": 84, "people": 4}}'
    for end, calls in (("stop", 1), ("length", 0)):
        choice = {"message": {"content": said}, "finish_reason": end}
        endpoint.answers = [Answer(body=json.dumps({"choices": [choice]}).encode())]
        (reply,) = model.generate([ask()])
        assert (len(reply.calls), bool(reply.problem)) == (calls, not calls)


def test_an_endpoint_that_streams_nothing_has_no_first_token(model: Any, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [
        Answer(400, b"Unknown parameter: stream_options"),
        Answer(400, b"'stream' is not supported"),
        Answer.said("one", prompt_tokens=7, completion_tokens=1),
    ]
    reply = model.timed(ask(tools=None, style="plain"))
    assert (reply.text, reply.first_token_seconds, reply.completion_tokens) == ("one", None, 1)
    assert ["stream" in sent for sent in endpoint.sent] == [True, True, False]
    assert reply.seconds > 0


def test_a_stream_that_breaks_off_with_an_error_is_that_row_s_problem(model: Any, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [events(delta("one"), {"error": {"message": "out of memory"}})]
    reply = model.timed(ask(tools=None, style="plain"))
    assert (reply.text, reply.problem) == ("", "the endpoint's answer has no choices, but an error: out of memory")


def test_a_raw_prompt_goes_to_completions_with_its_prefix(model: Model, endpoint: Endpoint):
    endpoint.answers = [Answer(body=b'{"choices": [{"text": " a time"}]}')]
    assert one(model, Request([], raw_prompt="Once", prefix=" upon")).text == " a time"
    assert (endpoint.sent[0]["path"], endpoint.sent[0]["prompt"]) == ("/v1/completions", "Once upon")


def test_an_endpoint_tells_what_it_is_sent(model: Any, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer.said("[]")]
    request = ask(style="full")
    one(model, request)
    sent = {name: value for name, value in endpoint.sent[0].items() if name != "path"}
    assert json.loads(model.prompt_for(request)) == sent


def test_answers_keep_the_order_of_the_questions(endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer.said("slow"), Answer.said("fast")]
    endpoint.answers[0].seconds = 0.2
    model = open_model(f"openai:tiny@{endpoint.url}", slots=2)
    seen: dict[int, str] = {}
    replies = model.generate([ask(tools=None), ask(tools=None)], lambda i, reply: seen.update({i: reply.text}))
    assert [r.text for r in replies] == [seen[0], seen[1]]
    assert sorted(seen.values()) == ["fast", "slow"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_or_failing_endpoint_is_asked_again(status: int, model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(status, b"busy"), Answer(status, b"busy"), Answer.said(CALLS)]
    assert len(one(model, ask()).calls) == 1
    assert len(endpoint.sent) == 3


def test_an_endpoint_that_stays_broken_is_one_line_with_what_it_says(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(500, f"out of memory\n key was {KEY}".encode())]
    with pytest.raises(ModelError, match=r"no answer after 4 tries \(HTTP 500: out of memory key was …\)") as caught:
        one(model, ask())
    assert "\n" not in str(caught.value)
    assert len(endpoint.sent) == 4


def test_the_pause_that_an_endpoint_asks_for_is_kept(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(429, b"", {"retry-after": "0.3"}), Answer.said("[]")]
    started = time.perf_counter()
    one(model, ask())
    assert time.perf_counter() - started >= 0.3


def test_an_endpoint_that_never_answers_is_given_up(endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(seconds=1)]
    model = open_model(f"openai:tiny@{endpoint.url}", timeout=0.05, backoff=0.001)
    with pytest.raises(ModelError, match="no answer after 4 tries"):
        one(model, ask())


def test_nobody_at_the_address_is_one_line(ask: Ask):
    with pytest.raises(ModelError, match="no answer after 4 tries"):
        one(open_model("openai:tiny@http://127.0.0.1:9/v1", backoff=0.001), ask())


@pytest.mark.parametrize("where", ["body", "html", "bad request"])
def test_the_key_is_in_no_error(where: str, model: Model, endpoint: Endpoint, ask: Ask):
    said = ("x" * 185 + KEY).encode()  # a cut at 200 characters would go through the key
    endpoint.answers = [
        {"body": Answer(401, said), "html": Answer(200, b"<html>" + said), "bad request": Answer(400, said)}[where]
    ]
    with pytest.raises(ModelError) as caught:
        one(model, ask())
    assert KEY[:6] not in str(caught.value)
    assert KEY not in repr(model)


@pytest.mark.parametrize("query", ["", "?api-key=hunter2"])
def test_a_password_in_the_address_is_in_no_error(
    endpoint: Endpoint, ask: Ask, monkeypatch: pytest.MonkeyPatch, query: str
):
    endpoint.answers = [Answer(401, b"no " + endpoint.url.encode() + query.encode())]
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url.replace("//", "//ana:hunter2@"))
    model = open_model("openai:tiny")
    with pytest.raises(ModelError) as caught:
        one(model, ask())
    assert "hunter2" not in str(caught.value) + model.ref


def test_a_key_that_no_header_can_hold_is_said_without_showing_it(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sécret\n-x")
    with pytest.raises(ModelReferenceError, match="OPENAI_API_KEY") as caught:
        open_model(f"openai:tiny@{endpoint.url}")
    assert "cret" not in str(caught.value)


def test_bytes_that_are_no_utf8_are_marked_and_the_rest_of_the_answer_is_kept(model: Any, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [
        Answer(body=b'{"choices": [{"message": {"content": "caf\xe9 \xf0\x9f"}, "finish_reason": "stop"}]}')
    ]
    assert one(model, ask(tools=None)).text == "caf� �"
    endpoint.answers = [Answer(body=b'data: {"choices": [{"delta": {"content": "caf\xe9"}}]}\n\ndata: [DONE]\n\n')]
    assert model.timed(ask(tools=None)).text == "caf�"


def test_a_page_instead_of_an_answer_says_what_to_look_at(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(200, b"<html><body>Welcome</body></html>")]
    with pytest.raises(ModelError, match=r"not JSON.*Welcome.*/v1"):
        one(model, ask())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{}", "no choices"),
        (b'{"choices": []}', "no choices"),
        (b'{"choices": [{"message": null}]}', "no choices"),
        (b'{"choices": "x"}', "no choices"),
        (b'{"error": {"message": "the quota is used up"}}', "no choices, but an error: the quota is used up"),
        (b'{"error": "overloaded"}', "but an error: overloaded"),
        (b"[1]", "no object"),
        (b'{"choices": [{"message": {"content": null}}]}', "wrote nothing"),
        (b'{"choices": [{"message": {"content": ["x"]}}]}', "not a JSON array"),
        (b'{"choices": [{"message": {"content": "[{\\"name\\": \\"spl"}, "finish_reason": "length"}]}', "breaks off"),
        (b'{"choices": [{"message": {"content": "\\ud800"}}]}', "not a JSON array"),
        (b'{"choices": [{"message": {"content": "' + b"a" * 1_000_000 + b'"}}]}', "1000000 characters"),
        (b"a" * 5_000_000, "more than 4 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_of_no_use_is_that_row_s_problem(body: bytes, says: str, model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(body=body)]
    reply = one(model, ask())
    assert reply.calls == []
    assert says in str(reply.problem)


def test_an_error_in_an_answer_is_told_without_the_key(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(body=json.dumps({"error": {"message": f"bad key\n{KEY}"}}).encode())]
    problem = str(one(model, ask()).problem)
    assert problem.endswith("but an error: bad key …")


def test_counts_that_are_none_or_nonsense_are_zero(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer.said("[]", prompt_tokens=None, completion_tokens="many")]
    reply = one(model, ask())
    assert (reply.prompt_tokens, reply.completion_tokens) == (0, 0)


def test_a_request_that_a_filter_of_contents_keeps_back_is_that_row_s_problem(
    model: Model, endpoint: Endpoint, ask: Ask
):
    endpoint.answers = [Answer(400, b'{"error": {"code": "content_filter", "message": "management policy"}}')]
    assert "content_filter" in str(one(model, ask()).problem)
    endpoint.answers = [Answer(401, b'{"error": "this key was flagged"}')]
    with pytest.raises(ModelError, match="HTTP 401"):
        one(model, ask())


def test_a_request_longer_than_the_context_is_that_row_s_problem(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(400, b'{"error": "maximum context length is 4096 tokens"}')]
    assert "context length" in str(one(model, ask()).problem)


def test_what_an_endpoint_refuses_by_name_is_left_out_from_then_on(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [
        Answer(400, b"response_format json_schema is not supported"),
        Answer(400, b"use max_completion_tokens instead of max_tokens"),
        Answer.said("[]"),
    ]
    assert one(model, ask(max_tokens=9)).problem is None
    one(model, ask())
    assert ["response_format" in s for s in endpoint.sent] == [True, False, False, False]
    assert endpoint.sent[2]["max_completion_tokens"] == 9
    assert "max_tokens" not in endpoint.sent[3]


LETTER = {"grammar": 'start: "A" | "B"', "choices": ["A", "B"], "tools": None, "style": "plain", "max_tokens": 4}


def test_a_choice_is_sent_as_a_schema_and_comes_back_bare(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer.said('{"answer": "B"}')]
    assert one(model, ask(**LETTER)).text == "B"
    (sent,) = endpoint.sent
    schema = sent["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["answer"]["enum"] == ["A", "B"]
    assert (schema["required"], sent["max_tokens"]) == (["answer"], 64)


@pytest.mark.parametrize("says", [b"response_format: not here", b"Unsupported: json_schema", b"guided decoding is off"])
def test_where_a_schema_is_refused_the_choice_is_asked_freely(says: bytes, model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer(400, says), Answer.said("The answer is B.")]
    assert one(model, ask(**LETTER)).text == "The answer is B."
    assert ["response_format" in sent for sent in endpoint.sent] == [True, False]


def test_a_choice_that_is_timed_freely_is_sent_without_a_schema(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer.said("B")]
    one(model, ask(**{**LETTER, "constrained": False, "grammar": None}))
    assert "response_format" not in endpoint.sent[0]


def test_half_characters_in_a_request_are_sent_as_question_marks(model: Model, endpoint: Endpoint, ask: Ask):
    endpoint.answers = [Answer.said("[]")]
    one(model, ask("a\ud800b"))
    assert endpoint.sent[0]["messages"][-1]["content"] == "a?b"


def test_the_address_comes_from_the_environment(endpoint: Endpoint, ask: Ask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url + "/")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    endpoint.answers = [Answer.said("[]")]
    one(open_model("openai:tiny"), ask())
    assert endpoint.keys == [None]


@pytest.mark.parametrize("ref", ["openai:", "openai:@http://x/v1", "openai:tiny@ftp://x", "openai:tiny@http://[::1"])
def test_a_reference_without_name_or_address_says_how_to_write_one(ref: str):
    with pytest.raises(ModelReferenceError, match="write openai:NAME"):
        open_model(ref)
