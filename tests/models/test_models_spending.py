"""Budgets and the account, under failures and kill -9, against a real server on this machine."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from chat_server import BROKEN, DROPPED, TRUNCATED, completion, served

from aquilamed.core.errors import ModelUnavailable
from aquilamed.models import remote, spending
from aquilamed.models.spending import Tokens

N, THREADS, WRITTEN = 1_000, 16, 8
CLIENT = f"""
import sys
from aquilamed.models import remote
endpoint = remote.Endpoint(base_url=sys.argv[1], model="m", cache=sys.argv[2], concurrency={THREADS}, tries=9, wait=0.0, max_tokens={WRITTEN}, budget_tokens=int(sys.argv[3]))
print(remote.usage(remote.ask(endpoint, [[{{"role": "user", "content": f"问{{k}}"}}] for k in range({N})])))
"""


def _client(url, cache, budget):
    source = str(Path(remote.__file__).parents[2])
    return subprocess.Popen([sys.executable, "-c", CLIENT, url, str(cache), str(budget)], env={**os.environ, "PYTHONPATH": source}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _asked(k):
    return [{"role": "user", "content": f"问{k}"}]


def _bill(body):
    """As dear as the client may fear: a token for each byte of the text, and every token that the reply may have."""
    return len(body["messages"][0]["content"].encode()) + body["max_tokens"]


def test_a_thousand_requests_through_failures_and_a_kill(tmp_path):
    """Guaranteed: a reply that was kept is never paid again, so only what was on the wire at the kill (at most `concurrency`) can be answered twice."""
    half, whole, billed = threading.Event(), [], []
    faults = [(429, {"headers": {"Retry-After": "0"}}), (500, {}), (TRUNCATED, "答"), (BROKEN, "答"), (DROPPED, "")]

    def answer(body, number):
        if len(whole) >= N // 2:
            half.set()
        status, said = faults[number // 10 % len(faults)] if number % 10 == 0 else (200, completion(body["messages"][0]["content"], _bill(body) - WRITTEN, WRITTEN))
        billed.extend([_bill(body)] * (status not in (429, 500)))
        return status, said, 0.2 if number % 97 == 0 else 0.0

    budget = 60_000
    with served(answer, whole) as (url, seen):
        first = _client(url, tmp_path / "cache", budget)
        assert half.wait(60)
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
        kept_then = {path.stem for path in (tmp_path / "cache").rglob("*.json")}
        asked_then = len(seen)
        again = _client(url, tmp_path / "cache", budget)
        said, trouble = again.communicate(timeout=120)
    assert again.returncode == 0, trouble
    endpoint = remote.Endpoint(base_url=url, model="m", cache=str(tmp_path / "cache"))
    assert not kept_then & {remote._digest(endpoint, body) for _, body, _ in seen[asked_then:]}
    counts = Counter(body["messages"][0]["content"] for body in whole)
    assert set(counts) == {f"问{k}" for k in range(N)} and max(counts.values()) <= 2
    assert sum(n == 2 for n in counts.values()) <= THREADS and 300 < len(kept_then) < N and asked_then < N
    kept = [json.loads(path.read_text(encoding="utf-8"))["text"] for path in (tmp_path / "cache").rglob("*.json")]
    assert sorted(kept) == sorted(counts) and f"'cached': {len(kept_then)}" in said
    paid = remote.account(endpoint)
    assert sum(billed) <= sum(paid.values()) <= budget                        # nothing that was billed is missing from the account


@pytest.mark.parametrize(("concurrency", "budget"), [(1, 800), (16, 2_100)])
def test_no_budget_is_passed_and_a_raised_one_goes_on(tmp_path, concurrency, budget):
    """The server bills all that the client sets aside at most, less the marks of the request."""
    bill, whole = (lambda body: completion("答", _bill(body) - WRITTEN, WRITTEN)), []
    with served(lambda body, _: (200, bill(body), 0.002), whole) as (url, _):
        settings = {"base_url": url, "model": "m", "cache": str(tmp_path), "concurrency": concurrency, "max_tokens": WRITTEN, "prompt_price": 2.0, "reply_price": 8.0}
        endpoint = remote.Endpoint(**settings, budget_tokens=budget)
        with pytest.raises(ModelUnavailable, match=rf"budget_tokens={budget} for the model 'm' might be passed: \d+ prompt and \d+ reply tokens \([\d.e-]+\) are spent.*"
                                                   r"raise the budget.*; \d+ of 200 requests are still to be answered"):
            remote.ask(endpoint, [_asked(k) for k in range(200)])
        spent = sum(map(_bill, whole))
        assert budget - 150 < spent <= budget                                 # one more request, with its marks, has no room
        assert remote.account(endpoint) == {"prompt_tokens": spent - 8 * len(whole), "reply_tokens": 8 * len(whole), "cost": endpoint.cost(Tokens(spent - 8 * len(whole), 8 * len(whole)))}
        money = remote.Endpoint(**settings, budget_cost=remote.account(endpoint)["cost"] * 1.1)
        with pytest.raises(ModelUnavailable, match="budget_cost="):
            remote.ask(money, [_asked(k) for k in range(200)])
        assert remote.account(money)["cost"] <= money.budget_cost
        found = remote.ask(remote.Endpoint(**settings), [_asked(k) for k in range(200)])
        assert len(whole) == 200 and remote.usage(found)["cached"] > len(found) * spent // sum(map(_bill, whole)) - 1


def test_two_processes_pay_from_one_budget(tmp_path):
    whole = []
    with served(lambda body, _: (200, completion("答", _bill(body) - WRITTEN, WRITTEN)), whole) as (url, _):
        both = [_client(url, tmp_path, 3_000) for _ in range(2)]
        said = [client.communicate(timeout=60)[1] for client in both]
    assert all("budget_tokens=3000" in text for text in said) and 2_000 < sum(map(_bill, whole)) <= 3_000


def test_what_may_have_been_billed_is_counted_in_full_and_what_was_not_is_not(tmp_path):
    for name, fault, is_billed in [("a", (500, {}), False), ("b", (TRUNCATED, "答"), True), ("c", (DROPPED, ""), True), ("d", (BROKEN, "答"), True), ("e", (200, "答", 1.5), True)]:
        with served(lambda _, number, fault=fault: fault if number == 1 else (200, "答")) as (url, _):
            endpoint = remote.Endpoint(base_url=url, model="m", cache=str(tmp_path / name), wait=0.0, max_tokens=500, timeout=1.0 if name == "e" else 60.0)
            remote.ask(endpoint, [_asked(1)])
            assert remote.account(endpoint)["reply_tokens"] == 3 + 500 * is_billed
    with pytest.raises(ModelUnavailable, match="tries failed"):               # nobody listens there now
        remote.ask(endpoint, [_asked(2)])
    assert remote.account(endpoint)["reply_tokens"] == 503


def test_the_account_outlives_a_line_cut_short_and_is_one_for_all(tmp_path):
    path = tmp_path / "spent.jsonl"
    one, other = spending.Ledger(path), spending.Ledger(path)
    entry = one.enter(Tokens(100, 10), lambda _: True)
    assert other.total() == Tokens(100, 10)
    one.close(entry, Tokens(60, 4))
    with path.open("ab") as file:
        file.write(b'\n{"open": "killed", "prompt": 7')
    assert other.enter(Tokens(5, 5), lambda spent: spent == Tokens(65, 9)) and one.total() == spending.Ledger(path).total() == Tokens(65, 9)
    assert one.enter(Tokens(1, 1), lambda _: False) is None
