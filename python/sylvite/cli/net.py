"""Nets out of JSON files."""

import json
from pathlib import Path

import click

import sylvite

from .commands import places
from .run import dtype_text
from .values import Named, json_option, load, named, print_json, progress, save, shape_text


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--input", "given", type=Named(), multiple=True, help="This file for an input instead of the net's; relative to here.")
@click.option("--output", "wanted", type=Named(), multiple=True, help="A blob into this file, beside or instead of the net's.")
@click.option("--dot", is_flag=True, help="Print the net as a Graphviz graph instead of running it.")
@json_option
@places
def net(file, given, wanted, dot, as_json):
    """Run the net of a JSON file on .npy files.

    \b
    {
      "name": "phases",
      "inputs": {"X": "image.npy"},
      "operators": [
        {"type": "SpaceToBatch", "inputs": ["X"], "outputs": ["Y"], "arguments": {"block_size": 2}},
        {"type": "Cast", "inputs": ["Y"], "outputs": ["Z"], "arguments": {"to": "float16"}}
      ],
      "outputs": {"Z": "phases.npy"}
    }

    Only "operators" must be there, and of an operator only "type". Operators run in their order. Arguments are
    numbers, texts, lists of one of them, or for a subnet {"name": ..., "operators": [...]}. Paths are relative
    to the JSON file.
    """
    read = read_net(file)
    made = sylvite.Net(read["name"], operators_of(read, str(file)))
    if dot:
        return click.echo(made.to_dot(), nl=False)
    inputs = {name: file.parent / path for name, path in read["inputs"].items()} | named(given, "input")
    outputs = {name: file.parent / path for name, path in read["outputs"].items()} | named(wanted, "output")
    missing = [name for name in made.external_inputs if name not in inputs]
    if missing:
        raise click.ClickException(f"{file}: no file for {', '.join(missing)}: name it under \"inputs\", or with --input")
    for name, path in outputs.items():
        if not Path(path).parent.is_dir():
            raise click.ClickException(f"{Path(path).parent} is no directory, so {name} cannot be written")
    workspace = sylvite.Workspace()
    for name, path in inputs.items():
        workspace.feed(name, load(path))
    run(workspace, made, str(file))
    for name in outputs:
        if not workspace.has(name):
            raise click.ClickException(f"{file}: output {name} is no blob, want one of {', '.join(workspace.blobs())}")
    told = []
    for name, path in outputs.items():
        array = workspace.fetch(name)
        save(path, array)
        told.append({"blob": name, "file": str(path), "dtype": dtype_text(array), "shape": list(array.shape)})
    if as_json:
        return print_json(told)
    for each in told:
        click.echo(f"{each['blob']} -> {each['file']}: {each['dtype']} {shape_text(each['shape'])}")
    if not told:
        click.echo(workspace.describe(), nl=False)


def run(workspace, made, file):
    """Operator by operator, so that an error says which, and a bar shows how far it is."""
    with progress(file, len(made)) as advance:
        for i, op in enumerate(made.operators):
            try:
                workspace.run(op)
            except sylvite.Error as error:
                raise click.ClickException(f"{file}: operators[{i}]: {error}") from None
            advance(op.type)


def read_net(file):
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from None
    check(read, str(file), {"name": str, "inputs": dict, "operators": list, "outputs": dict}, ["operators"])
    for field in ("inputs", "outputs"):
        for name, path in read.get(field, {}).items():
            if not isinstance(path, str):
                raise click.ClickException(f"{file}: {field}.{name} is {json.dumps(path)}, want a path")
    return {"name": file.stem, "inputs": {}, "outputs": {}} | read


def operators_of(read, where):
    """op() of every entry; the subnets of arguments too."""
    made = []
    for i, entry in enumerate(read["operators"]):
        place = f"{where}: operators[{i}]"
        check(entry, place, {"type": str, "inputs": list, "outputs": list, "arguments": dict, "device": str}, ["type"])
        for field in ("inputs", "outputs"):
            for name in entry.get(field, []):
                if not isinstance(name, str):
                    raise click.ClickException(f"{place}: {field} has {json.dumps(name)}, want names of blobs")
        arguments = {name: argument_of(value, f"{place}.arguments.{name}")
                     for name, value in entry.get("arguments", {}).items()}
        try:
            made.append(sylvite.op(entry["type"], entry.get("inputs", []), entry.get("outputs", []),
                                   entry.get("device", "cpu"), **arguments))
        except (sylvite.Error, TypeError) as error:
            raise click.ClickException(f"{place}: {error}") from None
    return made


def argument_of(value, where):
    if not isinstance(value, dict):
        return value
    check(value, where, {"name": str, "operators": list, "outputs": list}, ["operators"])
    return sylvite.Net(value.get("name", "subnet"), operators_of(value, where), value.get("outputs", []))


def check(value, where, fields, required):
    """An object with these fields and no others."""
    if not isinstance(value, dict):
        raise click.ClickException(f"{where} is {json.dumps(value)[:60]}, want an object")
    for name in required:
        if name not in value:
            raise click.ClickException(f"{where} has no \"{name}\"")
    for name, content in value.items():
        if name not in fields:
            raise click.ClickException(f"{where} has \"{name}\", want only {', '.join(fields)}")
        if not isinstance(content, fields[name]):
            kind = {str: "a text", list: "a list", dict: "an object"}[fields[name]]
            raise click.ClickException(f"{where}: \"{name}\" is {json.dumps(content)[:60]}, want {kind}")
