"""Runs a block of Python of the documentation, or says what it asks of packages that are not installed.

    python3 run_block.py BLOCK.py API.json

Prints a line of JSON: {"missing": null}, behind what the block printed, or {"missing": package, "wrong": [...]} with what the
block asks of the package that API.json does not know, and what of it the block does not use.
"""

import ast
import importlib
import inspect
import json
import sys


def imported(tree):
    """Local name → (module, name in it or None for the module itself)."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (alias.name, None)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = (node.module, alias.name)
    return names


def uses(tree, package):
    """The calls of a package's functions, and of any methods, each with its arguments; attributes that are not called."""
    names = imported(tree)
    of_package = lambda local: local in names and names[local][0].split(".")[0] == package
    called, functions, methods = set(), [], []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        arguments = (len(node.args), [word.arg for word in node.keywords])
        if isinstance(node.func, ast.Name) and of_package(node.func.id):
            functions.append((names[node.func.id][1], *arguments))
        elif isinstance(node.func, ast.Attribute):
            called.add(node.func)
            owner = node.func.value
            module = isinstance(owner, ast.Name) and owner.id in names
            if module and of_package(owner.id):
                functions.append((node.func.attr, *arguments))
            elif not module:
                methods.append((node.func.attr, *arguments))
    attributes = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node not in called]
    return functions, methods, attributes


def wrong_calls(calls, known, strict):
    """What calls ask that the recorded parameters do not offer; with `strict` any function must be recorded."""
    for name, count, words in calls:
        if name not in known:
            if strict:
                yield f"{name} is not recorded"
            continue
        parameters = known[name]
        named = [p for p in parameters if not p.startswith("*")]
        variadic = any(p.startswith("*") and not p.startswith("**") for p in parameters)
        if count > len(named) and not variadic:
            yield f"{name} takes {len(named)} arguments, not {count}"
        for word in words:
            if word not in named:
                yield f"{name} has no argument {word}"
    for name in set(known) - {name for name, _, _ in calls}:
        yield f"{name} is recorded and not used"


def wrong(tree, package, api):
    functions, methods, attributes = uses(tree, package)
    return [
        *wrong_calls(functions, api["functions"], True),
        *wrong_calls(methods, api["methods"], False),
        *(f"{name} is recorded and not used" for name in set(api["attributes"]) - set(attributes)),
    ]


def stale(package, api, tree):
    """Where the record differs from the package that is installed."""
    modules = {name: module for module, name in imported(tree).values() if name}
    for name, parameters in api["functions"].items():
        function = getattr(importlib.import_module(modules.get(name, package)), name, None)
        if function is None:
            yield f"{package} has no {name}"
            continue
        offered = inspect.signature(function).parameters
        for parameter in parameters:
            if parameter.lstrip("*") not in offered and name != "tensor":
                yield f"{name} has no parameter {parameter}"


def main(block, record):
    with open(block) as file:
        code = file.read()
    with open(record) as file:
        apis = json.load(file)
    tree = ast.parse(code)
    packages = {module.split(".")[0] for module, _ in imported(tree).values()}
    result = {"missing": None, "wrong": []}
    for package in sorted(packages & set(apis)):
        result["wrong"] += wrong(tree, package, apis[package])
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            result["missing"] = package
        else:
            result["wrong"] += stale(package, apis[package], tree)
    if result["missing"] is None:
        exec(compile(tree, block, "exec"), {"__name__": "__main__"})
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
