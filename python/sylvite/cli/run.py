"""One operator on .npy files."""

from pathlib import Path

import click

import sylvite

from .commands import places
from .values import arguments_option, checked, json_option, load, named, print_json, save, shape_text


@click.command()
@click.argument("op")
@click.argument("inputs", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", "outputs", type=click.Path(dir_okay=False, path_type=Path), multiple=True, required=True,
              help="A file for an output; once per output, in their order.")
@arguments_option
@json_option
@places
def run(op, inputs, outputs, arguments, as_json):
    """Run operator OP on the arrays of .npy files.

    \b
    sylvite run SpaceToBatch image.npy --out phases.npy --arg block_size=2 --arg pad=1
    sylvite run Add a.npy b.npy --out sum.npy

    Files hold one array each, as numpy.save writes them. bfloat16 arrays of ml_dtypes are those of two bytes
    and no type (V2); strings are texts (S). An output is written as a whole or not at all, over a file of its
    name.
    """
    for path in outputs:
        if not path.parent.is_dir():
            raise click.ClickException(f"{path.parent} is no directory, so {path.name} cannot be written")
    if len(set(outputs)) < len(outputs):
        raise click.UsageError("one file for several outputs, want one each")
    workspace = sylvite.Workspace()
    names = [f"input_{i}" for i in range(1, len(inputs) + 1)]
    results = [f"output_{i}" for i in range(1, len(outputs) + 1)]
    for name, path in zip(names, inputs):
        workspace.feed(name, load(path))
    workspace.run(checked(sylvite.op, op, names, results, **named(arguments, "argument")))
    told = []
    for name, path in zip(results, outputs):
        array = workspace.fetch(name)
        save(path, array)
        told.append({"file": str(path), "dtype": dtype_text(array), "shape": list(array.shape)})
    if as_json:
        return print_json(told)
    for each in told:
        click.echo(f"{each['file']}: {each['dtype']} {shape_text(each['shape'])}")


def dtype_text(array):
    return "string" if array.dtype == object else str(array.dtype)
