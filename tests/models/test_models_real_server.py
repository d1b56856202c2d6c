"""The client against a server that others wrote: `transformers serve`, with a tiny model. What comes over the wire is what our own generator says."""

import socket
import subprocess
import sys
import time
import urllib.request

import pytest
import tiny

from aquilamed.core.errors import ModelUnavailable
from aquilamed.models import chat, folders, remote
from aquilamed.models.generate import generate

SERVE = "from transformers.cli.transformers import main; main()"
ASKED = ("发烧两天怎么办？", "What helps against a cough?", "高血壓可以喝酒嗎？")


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as found:
            return found.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(endpoint, the model's folder, the server's process)."""
    top = tmp_path_factory.mktemp("served")
    folder = tiny.make(top / "model")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(top / "log.txt", "w", encoding="utf-8") as log:
        process = subprocess.Popen([sys.executable, "-c", SERVE, "serve", "--device", "cpu", "--dtype", "float32", "--port", str(port), "--host", "127.0.0.1"], stdout=log, stderr=log)
    try:
        end = time.monotonic() + 120
        while not _is_up(f"http://127.0.0.1:{port}"):
            assert process.poll() is None and time.monotonic() < end, (top / "log.txt").read_text(encoding="utf-8")[-2000:]
            time.sleep(0.2)
        yield remote.Endpoint(base_url=f"http://127.0.0.1:{port}/v1", model=str(folder), max_tokens=12, tries=2, wait=0.0, cache=str(top / "cache")), folder, process
    finally:
        process.kill()
        process.wait()


def test_what_a_real_server_says_is_what_our_generator_says(served):
    endpoint, folder, _ = served
    turns = [[{"role": "user", "content": text}] for text in ASKED]
    found = remote.ask(endpoint, turns)
    model = folders.load(folder, device="cpu")
    ours = generate(model, [chat.prompt(model.tokenizer, some) for some in turns], list(ASKED), max_new_tokens=12)
    assert [reply.text for reply in found] == [model.tokenizer.decode(ids, skip_special_tokens=True) for ids in ours]
    assert all(reply.prompt_tokens == len(chat.prompt(model.tokenizer, some)) and reply.reply_tokens > 0 and reply.cut for reply, some in zip(found, turns, strict=True))


def test_a_schema_that_it_does_not_keep_to_is_no_answer_and_one_that_fails_or_dies_is_told(served):
    endpoint, folder, process = served
    turns = [[{"role": "user", "content": ASKED[0]}]]
    schema = {"type": "object", "properties": {"grade": {"type": "integer"}}, "required": ["grade"], "additionalProperties": False}
    reply, = remote.ask(endpoint, turns, schema)
    assert reply.text is not None and reply.value is None
    with pytest.raises(ModelUnavailable, match="1 tries failed, the last with: HTTP 500"):
        remote.ask(remote.Endpoint(base_url=endpoint.base_url, model=str(folder.parent / "no-such-model"), tries=1, wait=0.0, cache=endpoint.cache), turns)
    process.kill()
    process.wait()
    assert remote.ask(endpoint, turns, schema)[0].cached                       # what was answered is kept
    with pytest.raises(ModelUnavailable, match="2 tries failed"):
        remote.ask(endpoint, [[{"role": "user", "content": "还在吗？"}]])
