"""The shape of the house: sizes, layers, names."""

import ast
import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "aquilamed"
FILES = sorted(SOURCE.rglob("*.py"))
LAYERS = {"core": {"core"}, "engine": {"core", "engine"}, "tree": {"core", "tree"}, "models": {"core", "models", "tree"}, "hygiene": {"core", "engine", "hygiene"}}
STAGES = {"corpus", "instruct", "preference", "train", "evals", "report", "release", "clinic"}
BELOW = {"core", "engine", "models", "tree", "hygiene"}
BANNED = re.compile(r"(^|_)(utils?|helpers?|common|misc|base|manager|handler|factory)(_|$)")
LONG_FUNCTIONS: dict[str, str] = {}
"""`file:function` -> why it may be longer than 60 lines."""


def trees():
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in FILES]


def test_files_and_functions_are_short():
    long_files = [str(path) for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    long_functions = [
        f"{path.relative_to(SOURCE)}:{node.name}" for path, tree in trees() for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 60]
    many = [f"{path.relative_to(SOURCE)}:{node.name}" for path, tree in trees() for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and len(node.args.args) + len(node.args.posonlyargs) > 7]
    assert not long_files and set(long_functions) <= set(LONG_FUNCTIONS) and not many, (long_files, long_functions, many)


def test_layers_import_only_what_lies_below():
    for path, tree in trees():
        layer = path.relative_to(SOURCE).parts[0]
        if layer.endswith(".py"):
            continue
        may = LAYERS.get(layer, BELOW | {layer})
        assert layer in LAYERS or layer in STAGES, layer
        for node in ast.walk(tree):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                parts = (name or "").split(".")
                if parts[0] == "aquilamed" and len(parts) > 1 and parts[1] != "cli":
                    assert parts[1] in may, f"{path}: imports {name}"
                if name == "aquilamed" and isinstance(node, ast.ImportFrom):
                    assert {alias.name for alias in node.names} <= may, f"{path}: imports {[a.name for a in node.names]}"


def test_names_and_errors():
    for path, tree in trees():
        assert not BANNED.search(path.stem), path
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                assert caught not in ("", "Exception", "BaseException"), f"{path}:{node.lineno}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "hasattr", f"{path}:{node.lineno}"
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                assert not BANNED.search(node.name.lower()), f"{path}: {node.name}"


def test_library_code_never_prints():
    may = {"cli.py", "talk.py", "embedded.py", "vocabulary.py"}
    for path, tree in trees():
        if path.name not in may:
            assert not any(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "print" for n in ast.walk(tree)), path


def test_stages_have_their_three_names():
    for path, tree in trees():
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        constants = {t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)}
        if {"run", "Config"} <= names:
            assert "VERSION" in constants, path
            config = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Config")
            fields = [i for i, node in enumerate(config.body) if isinstance(node, ast.AnnAssign)]
            for i in fields:
                follows = config.body[i + 1] if i + 1 < len(config.body) else None
                told = isinstance(follows, ast.Expr) and isinstance(follows.value, ast.Constant)
                assert told, f"{path}: field {config.body[i].target.id} has no docstring"
