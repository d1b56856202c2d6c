"""The command line. Heavy imports happen inside the commands, so `--help` answers at once."""

import argparse
import errno
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from aquilamed import __version__
from aquilamed.core.errors import AquilamedError

NOTICE = "Not for clinical use: research software; its models must not guide the care of patients."


TOLD = {errno.ENOSPC: "no disk space left", errno.EDQUOT: "no disk space left: the quota is used up", errno.EFBIG: "a file grew beyond the limit that is set for files",
        errno.ENOTDIR: "not a folder", errno.EEXIST: "not a folder", errno.EACCES: "no permission", errno.EPERM: "no permission", errno.EROFS: "the file system can't be written"}
"""What the system may refuse -> how it is told."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 a replay gave other figures or the reader of the output has gone (`| head`), 2 a mistake the user can mend, 130 stopped by Ctrl-C."""
    args = parser().parse_args(argv)
    try:
        code = args.command(args) or 0
        sys.stdout.flush()
        return code
    except AquilamedError as error:
        print(f"aquilamed: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno not in TOLD:
            raise
        print(f"aquilamed: {TOLD[error.errno]} ({error.filename or 'while writing'}); mend that and run the same command again: finished steps are kept", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\naquilamed: stopped; the same command goes on from here", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="aquilamed", description="Builds a bilingual medical language model, the whole way.", epilog=NOTICE)
    top.add_argument("--version", action="version", version=f"aquilamed {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _recipe_command(commands, "run", run, "make every step of a recipe that is not made yet")
    planned = _recipe_command(commands, "plan", plan, "show what a recipe would do, and what is done already")
    planned.add_argument("--json", action="store_true")
    planned.add_argument("--on", default="", metavar="MACHINE", help="forecast memory, time and disk of the training steps on 24xA100-40G, 8xH100, laptop, ...; exit 2 where they don't fit")
    planned.add_argument("--shape", type=Path, default=Path(), metavar="CONFIG.JSON", help="with --on: the base model's config.json, where the model itself is not here")
    look = commands.add_parser("show", help="look into a step's folder: a sample of rows, what was dropped and why, tokens of a training sample")
    look.add_argument("path", type=Path, help="a step's folder, or a folder or file in it")
    look.add_argument("-n", type=int, default=3, metavar="N", help="how many rows (default 3)")
    look.add_argument("--dropped", nargs="?", const="", metavar="REASON", help="show dropped rows (of REASON)")
    look.add_argument("--id", default="", help="show the record with this id (or its beginning)")
    look.add_argument("--tokens", action="store_true", help="show training samples token by token")
    look.add_argument("--json", action="store_true")
    look.set_defaults(command=show)
    talk = commands.add_parser("chat", help="talk with a model", epilog=NOTICE)
    talk.add_argument("model", help="a model folder, a training step's folder, or a hub id")
    talk.add_argument("question", nargs="?", default="", help="ask this once and stop; without it, a conversation")
    talk.add_argument("--temperature", type=float, default=0.0, help="0 is greedy (default)")
    talk.add_argument("--max-tokens", type=int, default=256)
    talk.add_argument("--seed", type=int, default=0)
    talk.set_defaults(command=chat)
    _vocabulary_command(commands, "trim", trim, "a model with the tokens that your texts need alone: the same tokens and logits, less memory").add_argument(
        "--least", type=int, default=1, metavar="N", help="keep tokens that stand at least N times in the texts (default 1)")
    _vocabulary_command(commands, "extend", extend, "a model with tokens more, which shorten your texts").add_argument(
        "--tokens", type=int, required=True, metavar="N", help="how many tokens at most")
    _eval_command(commands)
    page = commands.add_parser("report", help="write report.html of runs again")
    page.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run's folder: runs/<recipe>")
    page.add_argument("--markdown", action="store_true", help="print the ledgers as Markdown tables instead")
    page.set_defaults(command=report)
    return top


def _eval_command(commands) -> None:
    made = commands.add_parser("eval", help="score any model: a folder, a step, a hub id or an endpoint; replay, compare, export", epilog=NOTICE)
    made.add_argument("model", nargs="?", default="", help="a model folder, a training step's folder, or a hub id")
    made.add_argument("--tasks", nargs="+", default=["all"], metavar="TASK", help="names of the catalogue (see --list), or all (default)")
    made.add_argument("--data", default="", metavar="FOLDER", help="where the tasks' files lie; without it they come from the Hugging Face hub")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="questions a task and language, drawn by seed (default 0: all)")
    made.add_argument("--cases", type=int, default=-1, metavar="N", help="dialogues a task and language, drawn by seed; 0: all (default: as --limit, or 20 without it)")
    made.add_argument("--shots", type=int, default=-1, metavar="N", help="worked examples before a question (default: as the catalogue says, where there are files of them)")
    made.add_argument("--readings", nargs="+", default=[], metavar="READING", help="letter, letter-averaged, text, text-prior, bare, generated, harness (default: as the catalogue says)")
    made.add_argument("--form", choices=("plain", "chat"), default="", help="plain text (default) or the model's chat turns; behind an endpoint always chat")
    made.add_argument("--max-tokens", type=int, default=4096, metavar="N", help="prompt and answer together; longer items are not asked, and counted (default 4096)")
    made.add_argument("--reply-tokens", type=int, default=0, metavar="N", help="most new tokens of a reply (default 48, behind an endpoint 512)")
    made.add_argument("--answer-tokens", type=int, default=0, metavar="N", help="most new tokens of an answer in a dialogue (default 256, behind an endpoint 512)")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="the evaluation's folder (default: runs/eval-MODEL)")
    made.add_argument("--endpoint", default="", metavar="URL", help="ask an OpenAI-compatible server (up to /v1) instead; nothing is sent anywhere without it")
    made.add_argument("--name", default="", metavar="MODEL", help="with --endpoint: the model's name there")
    made.add_argument("--key-env", default="", metavar="VAR", help="with --endpoint: the environment variable that holds the key")
    made.add_argument("--budget-tokens", type=int, default=0, metavar="N", help="with --endpoint: stop before more tokens than this are paid for, in all runs together (default 0: no limit)")
    made.add_argument("--judge", default="", metavar="URL", help="let a model behind an OpenAI-compatible server judge the dialogues; without it their answers are kept and nothing is sent")
    made.add_argument("--judge-name", default="", metavar="MODEL", help="with --judge: the model's name there")
    made.add_argument("--judge-key-env", default="", metavar="VAR", help="with --judge: the environment variable that holds the key")
    made.add_argument("--judge-budget-tokens", type=int, default=0, metavar="N", help="with --judge: as --budget-tokens")
    made.add_argument("--replay", type=Path, default=Path(), metavar="FOLDER", help="score a finished evaluation's answers again; no model and no data are needed")
    made.add_argument("--compare", type=Path, nargs=2, default=(), metavar=("A", "B"), help="two finished evaluations on the items of both")
    made.add_argument("--markdown", action="store_true", help="with --compare: print a page in Markdown")
    made.add_argument("--export", choices=("lm-eval",), default="", help="also write results and samples as lm-eval does")
    made.add_argument("--list", action="store_true", help="show the tasks; with --data, whether their files are there")
    made.add_argument("--replace", action="store_true", help="evaluate anew where the folder holds something else, which is moved aside")
    made.add_argument("--json", action="store_true")
    made.set_defaults(command=evaluate)


def _vocabulary_command(commands, name: str, function, text: str) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=text, description=f"Makes {text}. The report, with its proof on your texts, is printed and stands in OUT/vocabulary.json.")
    made.add_argument("model", help="a model folder, a training step's folder, or a hub id")
    made.add_argument("out", type=Path, metavar="OUT", help="the new model's folder")
    made.add_argument("texts", nargs="+", type=Path, metavar="TEXT", help="a file or folder of .txt .md .csv .tsv .json .jsonl .xml, or the folder of a step that made documents")
    made.set_defaults(command=function)
    return made


def _recipe_command(commands, name: str, function, text: str) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=text)
    made.add_argument("recipe", type=Path, help="a recipe file")
    made.add_argument("--from", dest="first", default="", metavar="STEP")
    made.add_argument("--to", dest="last", default="", metavar="STEP")
    made.add_argument("--set", dest="settings", action="append", default=[], metavar="STEP.FIELD=VALUE")
    made.add_argument("--allow-uncertified", action="store_true", help="train on data that was not searched for benchmark items, too (the manifest says so)")
    made.add_argument("--replace", action="store_true", help="move steps made with other settings aside and make them again")
    made.add_argument("--home", type=Path, default=Path("runs"), help="where run folders go (default: runs)")
    made.add_argument("--workers", type=int, default=0, help="threads of the local engine (default: this process's cores)")
    made.add_argument("--engine", choices=("local", "ray"), default="local", help="where passes over the data run (ray: the cluster at RAY_ADDRESS)")
    made.set_defaults(command=function)
    return made


def run(args: argparse.Namespace) -> None:
    from aquilamed import pipeline, progress
    recipe = _recipe(args)
    if pipeline.together():
        from aquilamed.core.pace import silent
        from aquilamed.train import ranks
        if ranks.start():
            return pipeline.follow(recipe, args.home, _engine(args, silent))
    with progress.shown_on(sys.stderr) as tell:
        pipeline.run(recipe, args.home, _engine(args, tell), _say, first=args.first, last=args.last, replace=args.replace)
    if pipeline.together():
        ranks.tell("")
    folder = args.home / recipe.name
    _say(f"report: {_write_report(folder)}")
    _say(NOTICE)


def _recipe(args: argparse.Namespace):
    from aquilamed import pipeline
    recipe = pipeline.load(args.recipe).with_settings(args.settings)
    return recipe.allowing_uncertified() if args.allow_uncertified else recipe


def _engine(args: argparse.Namespace, tell):
    if args.engine == "ray":
        from aquilamed.engine.cluster import Ray
        return Ray(tell=tell)
    from aquilamed.engine.local import Local
    return Local(args.workers, tell)


def plan(args: argparse.Namespace) -> None:
    from aquilamed import planning
    recipe = _recipe(args)
    if args.on:
        return _fit(args, recipe)
    rows = planning.forecast(recipe, args.home, args.first, args.last)
    print(json.dumps(rows, ensure_ascii=False, indent=1) if args.json else planning.as_text(recipe, rows))


def _fit(args: argparse.Namespace, recipe) -> None:
    from aquilamed import fitting
    from aquilamed.train import machines
    machine = machines.named(args.on)
    rows = fitting.fit(recipe, args.home, machine, args.shape)
    print(json.dumps(rows, ensure_ascii=False, indent=1) if args.json else fitting.as_text(machine, rows))
    fitting.refuse(machine, rows)


def show(args: argparse.Namespace) -> None:
    from aquilamed import showing
    print(showing.show(args.path, n=args.n, dropped=args.dropped, record_id=args.id, tokens=args.tokens,
                       as_json=args.json, colour=sys.stdout.isatty()))


def chat(args: argparse.Namespace) -> None:
    from aquilamed.models import talk
    talk.talk(args.model, args.question, temperature=args.temperature, max_tokens=args.max_tokens, seed=args.seed)


def evaluate(args: argparse.Namespace) -> int:
    from aquilamed import evaluate_command
    text, code = evaluate_command.run(args, lambda line: print(line, file=sys.stderr, flush=True))
    print(text)
    return code


def trim(args: argparse.Namespace) -> None:
    from aquilamed.models import refit
    print(refit.as_text(refit.trimmed(args.model, args.out, args.texts, args.least)))


def extend(args: argparse.Namespace) -> None:
    from aquilamed.models import refit
    print(refit.as_text(refit.extended(args.model, args.out, args.texts, args.tokens)))


def report(args: argparse.Namespace) -> None:
    from aquilamed.report import results
    print(results.render(args.runs) if args.markdown else "\n".join(str(_write_report(run)) for run in args.runs))


def _write_report(folder: Path) -> Path:
    from aquilamed.report import page
    return page.write(folder)


def _say(line: str) -> None:
    print(line, flush=True)
