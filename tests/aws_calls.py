"""Which AWS operations the product's code can reach, read off its source.

A small call graph: modules and functions are resolved by the imports, methods by their name in the
modules that are imported from where the search began. So it may find a call too many, never one too
few, unless a client is passed on under a name of its own: `all_calls` knows no graph and finds that.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import get_args

import botocore.session
from botocore import xform_name

import platform_pipelines
from platform_pipelines.aws.region import ClientName

ROOT = Path(platform_pipelines.__file__).parent
PACKAGE = platform_pipelines.__name__
SERVICES = frozenset(get_args(ClientName))
NOT_CALLS = frozenset({"exceptions", "meta", "get_paginator", "get_waiter"})
Call = tuple[str, str]  # (boto3's service, operation)
Function = tuple[str, str]  # (module, name)


@dataclass(kw_only=True)
class Module:
    """One module's functions, by name; a method also stands under its own name."""

    name: str
    imports: dict[str, str] = field(default_factory=dict)  # what a name here means, dotted
    functions: dict[str, list[ast.AST]] = field(default_factory=dict)
    methods: set[str] = field(default_factory=set)


def all_calls() -> dict[Call, set[str]]:
    """Every call of the product, and the modules that make it."""
    found: dict[Call, set[str]] = {}
    for name, tree in _trees().items():
        for call in _calls(tree):
            found.setdefault(call, set()).add(name)
    return found


def reachable(prefixes: Iterable[str], but: Iterable[str] = ()) -> set[Call]:
    """The calls that functions of these modules can come to; `but` are modules left out."""
    modules, left_out = _modules(), tuple(but)
    roots = [name for name in modules if _within(name, prefixes) and not _within(name, left_out)]
    seen: set[Function] = set()
    todo = [(name, one) for name in roots for one in modules[name].functions]
    known = _imported(roots)
    while todo:
        function = todo.pop()
        if function not in seen:
            seen.add(function)
            todo.extend(_called(modules[function[0]], function[1], known))
    bodies = (body for module, name in seen for body in modules[module].functions[name])
    return {call for body in bodies for call in _calls(body)}


def _within(name: str, prefixes: Iterable[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in prefixes)


@cache
def _trees() -> dict[str, ast.Module]:
    """The product's modules; the local Regions are no part of it."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        if parts[1] != "local":
            found[".".join(parts).removesuffix(".__init__")] = ast.parse(path.read_text())
    return found


@cache
def _modules() -> dict[str, Module]:
    return {name: _module(name, tree) for name, tree in _trees().items()}


def _module(name: str, tree: ast.Module) -> Module:
    made = Module(name=name)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
            for alias in node.names:
                made.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    rest: list[ast.AST] = []
    for node in tree.body:
        match node:
            case ast.FunctionDef():
                made.functions.setdefault(node.name, []).append(node)
            case ast.ClassDef():
                _class(made, node)
            case _:
                rest.append(node)
    made.functions["<module>"] = rest
    return made


def _class(made: Module, node: ast.ClassDef) -> None:
    """A class stands for what runs when it is made; its methods for themselves."""
    made.functions.setdefault(node.name, [])
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            made.functions.setdefault(item.name, []).append(item)
            made.methods.add(item.name)
            if item.name in ("__init__", "__post_init__", "__enter__", "__exit__"):
                made.functions[node.name].append(item)
        else:
            made.functions[node.name].append(item)


def _imported(roots: Iterable[str]) -> set[str]:
    """The modules that are imported from here on, themselves included."""
    modules, seen, todo = _modules(), set[str](), list(roots)
    while todo:
        name = todo.pop()
        if name in modules and name not in seen:
            seen.add(name)
            for meant in modules[name].imports.values():
                todo.extend((meant, meant.rpartition(".")[0]))
    return seen


def _called(module: Module, name: str, known: set[str]) -> Iterator[Function]:
    for body in module.functions[name]:
        for node in ast.walk(body):
            match node:
                case ast.Name(id=word):
                    yield from _named(module, word)
                case ast.Attribute(value=ast.Name(id=owner), attr=word) if (
                    module.imports.get(owner) in _modules()
                ):
                    yield from _here(module.imports[owner], word)
                case ast.Attribute(attr=word):
                    yield from _methods(word, known)


def _named(module: Module, word: str) -> Iterator[Function]:
    if word in module.functions:
        yield module.name, word
    elif word in module.imports:
        home, _, name = module.imports[word].rpartition(".")
        yield from _here(home, name)


def _here(home: str, name: str) -> Iterator[Function]:
    if home in _modules() and name in _modules()[home].functions:
        yield home, name


def _methods(word: str, known: set[str]) -> Iterator[Function]:
    for name in known:
        if word in _modules()[name].methods:
            yield name, word


def _calls(body: ast.AST) -> Iterator[Call]:
    """`region.efs.describe_file_systems`, and the same through `get_paginator("…")`."""
    for node in ast.walk(body):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(attr=service), attr="get_paginator" | "get_waiter"
                ),
                args=[ast.Constant(value=str(method))],
            ) if service in SERVICES:
                yield service, _operation(service, method)
            case ast.Attribute(value=ast.Attribute(attr=service), attr=method) if (
                service in SERVICES and method not in NOT_CALLS
            ):
                yield service, _operation(service, method)


def _operation(service: str, method: str) -> str:
    """The operation of a client's method. Raises: KeyError, when there is none."""
    return _operations(service)[method]


@cache
def _operations(service: str) -> dict[str, str]:
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}
