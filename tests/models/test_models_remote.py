"""The client against a real server on this machine that speaks the chat-completions protocol."""

import logging
import sys
import urllib.parse

import pytest
from chat_server import served

from aquilamed.core import pace
from aquilamed.core.config import canonical_json
from aquilamed.core.errors import ConfigError, ModelUnavailable
from aquilamed.models import remote


def _asked(text):
    return [{"role": "user", "content": text}]


def _endpoint(url, tmp_path, **more):
    return remote.Endpoint(**{"base_url": url, "model": "m", "wait": 0.0, "tries": 3, "cache": str(tmp_path / "cache"), **more})


def test_replies_come_in_order_and_are_asked_for_once(tmp_path, monkeypatch):
    monkeypatch.setenv("CLINIC_KEY", "sesame")
    with served(lambda body, _: (200, body["messages"][0]["content"] + "！")) as (url, seen):
        endpoint = _endpoint(url, tmp_path, key_env="CLINIC_KEY", concurrency=4)
        texts = [f"问{k}" for k in range(9)]
        heard = []
        with pace.heard_by(heard.append):
            first = remote.ask(endpoint, [_asked(text) for text in [*texts, texts[0]]])
        assert [(at.done, at.total, at.unit) for at in heard] == [(k, 9, "requests") for k in range(1, 10)]
        assert [reply.text for reply in first] == [f"{text}！" for text in [*texts, texts[0]]]
        assert remote.usage(first) == {"requests": 10, "cached": 1, "refused": 0, "prompt_tokens": 63, "reply_tokens": 27}
        assert len(seen) == 9 and seen[0][0] == "/v1/chat/completions" and seen[0][2]["authorization"] == "Bearer sesame"
        again = remote.ask(endpoint, [_asked(text) for text in texts])
        assert len(seen) == 9 and all(reply.cached for reply in again) and remote.usage(again)["prompt_tokens"] == 0
    kept = [path.read_text(encoding="utf-8") for path in (tmp_path / "cache").rglob("*.json")]
    assert len(kept) == 9 and not any("sesame" in text or "messages" in text for text in kept) and "sesame" not in repr(endpoint)


def test_what_may_pass_is_asked_again_and_what_never_will_is_refused(tmp_path):
    def answer(body, number):
        if body["messages"][0]["content"] == "filtered":
            return 400, {"error": {"code": "content_filter"}}
        return [(503, {"headers": {"Retry-After": "0"}}), (200, {"no": "choices"}), (200, "ok")][min(number - 1, 2)]
    with served(answer) as (url, seen):
        endpoint = _endpoint(url, tmp_path, concurrency=1)
        found = remote.ask(endpoint, [_asked("fine"), _asked("filtered")])
        assert [reply.text for reply in found] == ["ok", None] and len(seen) == 4 and remote.usage(found)["refused"] == 1
        assert remote.ask(endpoint, [_asked("fine")])[0].cached
        assert remote.ask(endpoint, [_asked("filtered")])[0].text is None                # it has answered before
        with pytest.raises(ModelUnavailable, match="every request was refused; does it serve the model 'm'"):
            remote.ask(_endpoint(url, tmp_path / "fresh"), [_asked("filtered")])


def test_a_run_that_broke_off_goes_on(tmp_path):
    with served(lambda body, number: (200, "ok") if number <= 3 else (500, {})) as (url, seen):
        endpoint = _endpoint(url, tmp_path, concurrency=1, tries=2)
        with pytest.raises(ModelUnavailable, match="2 tries failed, the last with: HTTP 500; what was answered is kept"):
            remote.ask(endpoint, [_asked(f"{k}") for k in range(6)])
    port = urllib.parse.urlsplit(url).port
    assert port and len(list((tmp_path / "cache").rglob("*.json"))) == 3
    with pytest.raises(ModelUnavailable, match="tries failed"):           # nobody listens there now
        remote.ask(endpoint, [_asked("4")])
    assert [reply.text for reply in remote.ask(endpoint, [_asked("0"), _asked("2")])] == ["ok", "ok"]


def test_when_one_fails_for_good_the_others_stop_waiting(tmp_path):
    with served(lambda body, _: (401, {}, 0.3) if body["messages"][0]["content"] == "0" else (503, {})) as (url, seen):
        with pytest.raises(ModelUnavailable, match="HTTP 401.*; 9 of 9 requests are still to be answered"):
            remote.ask(_endpoint(url, tmp_path, wait=300.0, concurrency=3), [_asked(str(k)) for k in range(9)])
        assert len(seen) <= 4                                             # the one that failed may have begun another


@pytest.mark.parametrize(("status", "said"), [(401, "HTTP 401"), (503, "1 tries failed")])
def test_after_a_failure_for_good_nothing_more_is_begun_however_late_one_looks(tmp_path, monkeypatch, status, said):
    late = remote.wait
    monkeypatch.setattr(remote, "wait", lambda jobs, return_when: late(jobs))       # wakes when all have ended
    with served(lambda body, number: (status, {})) as (url, seen):
        with pytest.raises(ModelUnavailable, match=f"{said}.*; 9 of 9 requests are still to be answered"):
            remote.ask(_endpoint(url, tmp_path, tries=1, concurrency=1), [_asked(str(k)) for k in range(9)])
        assert len(seen) == 1


@pytest.mark.parametrize(("status", "said"), [(401, "key in the variable named by key_env"), (404, "ends in /v1"), (302, "can't be mended")])
def test_what_the_user_must_mend_is_said_at_once(tmp_path, status, said):
    with served(lambda *_: (status, {"headers": {"Location": "http://127.0.0.1:1/"}})) as (url, seen):
        with pytest.raises(ModelUnavailable, match=f"HTTP {status} .*{said}"):
            remote.ask(_endpoint(url, tmp_path), [_asked("x")])
        assert len(seen) == 1                                             # not asked again, and not carried to where it was sent


def test_nothing_is_sent_unasked(monkeypatch):
    with pytest.raises(ModelUnavailable, match="no endpoint is configured"):
        remote.ask(remote.Endpoint(), [_asked("x")])
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="NO_SUCH_KEY.* is not set"):
        remote.ask(remote.Endpoint(base_url="http://127.0.0.1:1/v1", model="m", key_env="NO_SUCH_KEY"), [_asked("x")])
    for settings, said in [({"base_url": "api.example.com", "model": "m"}, "expected http"), ({"base_url": "http://h/v1"}, "name of a model"),
                           ({"base_url": "http://u:p@h/v1", "model": "m"}, "password"), ({"temperature": 3.0}, "temperature=3.0"), ({"tries": 0}, "1 or more"),
                           ({"budget_cost": 1.0}, "needs prompt_price"), ({"budget_tokens": -1}, "0 or more")]:
        with pytest.raises(ConfigError, match=said):
            remote.Endpoint(**settings)


def test_what_is_sent_is_the_question_and_what_is_logged_is_not(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    for name, value in {"OPENAI_API_KEY": "sk-another", "OPENAI_ORG_ID": "org-another", "OPENAI_CUSTOM_HEADERS": "X-Another: 1", "CLINIC_KEY": "sesame"}.items():
        monkeypatch.setenv(name, value)
    with served(lambda *_: (200, "答复")) as (url, seen):
        remote.ask(_endpoint(url, tmp_path), [_asked("问题")])
        remote.ask(_endpoint(url, tmp_path, key_env="CLINIC_KEY", limit_key="max_completion_tokens"), [_asked("问题二")])
    assert seen[0][1] == {"model": "m", "messages": _asked("问题"), "temperature": 0.0, "max_tokens": 512} and "max_completion_tokens" in seen[1][1]
    assert set(seen[0][2]) == {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"}
    assert set(seen[1][2]) - set(seen[0][2]) == {"authorization"}
    assert caplog.records and not any(word in caplog.text for word in ("问题", "答复", "sesame"))


def test_keys_of_equal_requests_are_equal_everywhere():
    """The digest is part of the format: another one would pay for every kept reply again."""
    endpoint = remote.Endpoint(base_url="http://h/v1/", model="m")
    plain, told = (remote._digest(endpoint, remote._body(endpoint, _asked("头痛"), schema)) for schema in (None, {"type": "object"}))
    assert plain == "faf71f7d3aa3ccade7473d0004e8d2cee7a40df0d5cd50305df4c87152a34d49" and told == "d88f271d8a4ba7d0dfe3d94edf92e32f503f05033bade8362c94b10e861ace46"
    cheap = remote.Endpoint(base_url="http://h/v1", model="m", concurrency=1, budget_tokens=5, tries=1, cache="elsewhere")
    assert remote._digest(cheap, remote._body(cheap, _asked("头痛"), None)) == plain and canonical_json(cheap) == canonical_json(remote.Endpoint(base_url="http://h/v1", model="m"))


SCHEMA = {"type": "object", "properties": {"better": {"enum": ["A", "B"]}}, "required": ["better"], "additionalProperties": False}


def test_structured_replies_are_checked_here_whatever_the_server_does(tmp_path):
    said = {"好": '{"better": "A"}', "想": '<think>…</think>\n```json\n{"better": "B"}\n```', "漏": "{}", "多": '{"better": "A", "why": 1}', "错": '{"better": "C"}', "文": "I prefer A.", "半": '{"bet'}
    wanted = [{"better": "A"}, {"better": "B"}, None, None, None, None, None]
    for name, is_able in (("able", True), ("unable", False)):
        with served(lambda body, _, is_able=is_able: (200, said[body["messages"][0]["content"]]) if is_able or "response_format" not in body else (400, {"error": {}})) as (url, seen):
            endpoint = _endpoint(url, tmp_path / name, concurrency=1)
            found = remote.ask(endpoint, [_asked(text) for text in said], SCHEMA)
            assert [reply.value for reply in found] == wanted and [reply.text for reply in found] == list(said.values())
            assert len(seen) == len(said) + (not is_able)                     # told once that it can't, it is not told again
            assert [reply.value for reply in remote.ask(endpoint, [_asked(text) for text in said], SCHEMA)] == wanted and len(seen) == len(said) + (not is_able)


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'aquilamed\[remote\]'"):
        remote.ask(_endpoint("http://127.0.0.1:1/v1", tmp_path), [_asked("x")])


def test_another_asking_of_the_same_is_another_request(tmp_path):
    with served(lambda body, number: (200, f"reply {number}")) as (url, seen):
        endpoint = remote.Endpoint(base_url=url, model="m", cache=str(tmp_path), concurrency=1)
        first = remote.ask(endpoint, [_asked("头痛")] * 3, askings=(0, 1, 0))
        assert [reply.text for reply in first] == ["reply 1", "reply 2", "reply 1"] and [reply.cached for reply in first] == [False, False, True] and seen[0][1] == seen[1][1]
        again = remote.ask(endpoint, [_asked("头痛")] * 2, askings=(1, 0))
        assert [reply.text for reply in again] == ["reply 2", "reply 1"] and len(seen) == 2
