"""What there is: targets and operators."""

import difflib
import inspect
import re

import click

import sylvite

from .values import console, json_option, print_json, table


@click.command()
@json_option
def targets(as_json):
    """The targets this machine can run, best first."""
    names = sylvite.targets()
    if as_json:
        return print_json(names)
    for name in names:
        click.echo(name)


@click.command()
@json_option
def operators(as_json):
    """The operators, by the names that run, explain and net take."""
    known = sylvite.operators()
    if as_json:
        return print_json(known)
    made = table("operator", "inputs", "outputs", "gradient", "what it does")
    for op in known:
        made.add_row(op["name"], span(op["inputs"]), span(op["outputs"]), op["gradient"].replace("_", " "), op["summary"])
    console().print(made)


@click.command()
@click.argument("name")
@json_option
def operator(name, as_json):
    """What an operator takes, and its documentation."""
    op = find(name)
    function = python_function(name)
    documentation = inspect.getdoc(function) if function else None
    if as_json:
        return print_json({**op, "python": function and function.__name__, "documentation": documentation})
    click.echo(f"{op['name']}: {op['summary']}\n")
    click.echo(f"inputs    {span(op['inputs'])}")
    click.echo(f"outputs   {span(op['outputs'])}{', which may be the input itself' if op['in_place'] else ''}")
    click.echo(f"gradient  {op['gradient'].replace('_', ' ')}")
    if op["arguments"]:
        made = table("argument", "type", "default", "what it says")
        for argument in op["arguments"]:
            made.add_row(argument["name"], argument["type"], argument["default"] or "-", argument["summary"])
        click.echo()
        console().print(made)
    if documentation:
        click.echo(f"\nIn Python, sylvite.{function.__name__}:\n\n{documentation.strip()}")


def find(name):
    """The operator's entry. Raises ClickException, naming the nearest ones."""
    known = {op["name"]: op for op in sylvite.operators()}
    if name not in known:
        near = difflib.get_close_matches(name, known, 3, 0.5)
        hint = f", want perhaps {' or '.join(near)}" if near else ", want one that `sylvite operators` lists"
        raise click.ClickException(f"there is no operator {name}{hint}")
    return known[name]


def python_function(name):
    """MergeSingleListFeatureTensors -> merge_single_list; None where the module has no such function."""
    words = re.sub("FeatureTensors", "", name)
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", words).lower().replace("squared_l_2", "squared_l2")
    return getattr(sylvite, snake, None)


def span(arity):
    least, most = arity
    if most is None:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"
