"""The modes of `aquilamed eval`: list, replay, compare, or evaluate."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from aquilamed.core.config import check

NONE = Path()
Say = Callable[[str], None]
"""Told of what is under way, line by line."""


def run(args: argparse.Namespace, say: Say) -> tuple[str, int]:
    """Do the one thing that the command line asks for; return what is to be printed, and the exit code: 1 where a replay by the same rules gives other figures than stand on disk.

    Raises:
        ConfigError: it asks for none, or for several.
    """
    asked = {"a model": bool(args.model), "--endpoint": bool(args.endpoint), "--replay": args.replay != NONE, "--compare": bool(args.compare), "--list": args.list}
    given = [name for name, is_given in asked.items() if is_given]
    check(len(given) == 1, f"aquilamed eval needs one of {', '.join(asked)}; given: {' and '.join(given) or 'none'}")
    check(not (args.compare or args.list) or not args.export, "--export goes with an evaluation or with --replay")
    check(bool(args.compare) or not args.markdown, "--markdown goes with --compare")
    if args.replay != NONE:
        return _replay(args, say)
    mode = _list if args.list else _compare if args.compare else _evaluate
    return mode(args, say), 0


def _list(args: argparse.Namespace, say: Say) -> str:
    from aquilamed import evaluating, scoreboard
    rows = evaluating.listing(_data(args))
    return _told(args, rows, scoreboard.listing_as_text(rows))


def _replay(args: argparse.Namespace, say: Say) -> tuple[str, int]:
    from aquilamed import scoreboard
    from aquilamed.core import manifest
    from aquilamed.evals import finding, replay, results
    found = [replay.replay(folder) for folder in finding.scored_steps(args.replay)]
    check(args.out == NONE or len(found) == 1, f"--out: {args.replay} holds {len(found)} evaluations; replay one of them: {', '.join(str(one.folder) for one in found)}")
    if args.out != NONE:
        args.out.mkdir(parents=True, exist_ok=True)
        manifest.write_json(args.out / results.RESULTS, found[0].report)
    for one in found:
        _export(args, one.folder, one.report, args.out if args.out != NONE else one.folder.parent, say)
    text = _told(args, [scoreboard.replayed(one) for one in found], "\n\n".join(map(scoreboard.replay_as_text, found)))
    return text, int(any(one.differs and not one.changes for one in found))


def _compare(args: argparse.Namespace, say: Say) -> str:
    from aquilamed import scoreboard
    from aquilamed.evals import compare, finding
    found = compare.compare(*map(finding.scored_step, args.compare))
    return _told(args, found, (scoreboard.comparison_as_markdown if args.markdown else scoreboard.comparison_as_text)(found))


def _evaluate(args: argparse.Namespace, say: Say) -> str:
    from aquilamed import cli, evaluating, progress, scoreboard
    from aquilamed.engine.local import Local
    from aquilamed.evals import finding, results
    from aquilamed.report import page
    wanted = _wanted(args)
    out = args.out if args.out != NONE else Path("runs") / wanted.name
    with progress.shown_on(sys.stderr) as tell:
        evaluating.evaluate(wanted, out, Local(0, tell), say, replace=args.replace)
    step = finding.scored_step(out)
    found = scoreboard.scores(out, step) | {"page": str(page.write(out))}
    _export(args, step, results.read_report(step), out, say)
    say(cli.NOTICE)
    return _told(args, found, f"{scoreboard.as_table(found)}\npage: {found['page']}")


def _wanted(args: argparse.Namespace):
    """The command line as settings.

    Raises:
        ConfigError: options that don't go together.
    """
    from aquilamed import evaluating
    from aquilamed.models.remote import Endpoint
    check(not args.endpoint or bool(args.name), "--endpoint needs --name MODEL, the model's name there")
    check(bool(args.endpoint) or not (args.name or args.key_env or args.budget_tokens), "--name, --key-env and --budget-tokens go with --endpoint")
    check(not args.endpoint or args.form != "plain", "--form plain: an endpoint takes chat turns alone; leave --form out")
    check(not args.judge or bool(args.judge_name), "--judge needs --judge-name MODEL, the model's name there")
    check(bool(args.judge) or not (args.judge_name or args.judge_key_env or args.judge_budget_tokens), "--judge-name, --judge-key-env and --judge-budget-tokens go with --judge")
    check(args.answer_tokens >= 0, f"--answer-tokens {args.answer_tokens}: expected 1 or more")
    judge = Endpoint(base_url=args.judge, model=args.judge_name, key_env=args.judge_key_env, budget_tokens=args.judge_budget_tokens) if args.judge else Endpoint()
    endpoint = Endpoint(base_url=args.endpoint, model=args.name, key_env=args.key_env, budget_tokens=args.budget_tokens, max_tokens=args.reply_tokens or 512) if args.endpoint else Endpoint()
    return evaluating.Wanted(model=args.model, endpoint=endpoint, tasks=tuple(args.tasks), data=_data(args), limit=args.limit, shots=args.shots, readings=tuple(args.readings),
                             form=args.form or "plain", max_tokens=args.max_tokens, reply_tokens=args.reply_tokens or 48, cases=args.cases, answer_tokens=args.answer_tokens or (512 if args.endpoint else 256), judge=judge,
                             seed=args.seed)


def _data(args: argparse.Namespace) -> str:
    from aquilamed.evals import catalogue
    check(not args.data or args.data.startswith("hf://") or Path(args.data).is_dir(), f"--data {args.data}: no such folder")
    return args.data or catalogue.HUB


def _export(args: argparse.Namespace, step: Path, report: dict, out: Path, say: Say) -> None:
    if args.export:
        from aquilamed.evals import lm_eval
        say(f"exported: {lm_eval.write(step, report, out / 'lm-eval')}")


def _told(args: argparse.Namespace, as_json: object, text: str) -> str:
    return json.dumps(as_json, ensure_ascii=False, indent=1) if args.json else text
