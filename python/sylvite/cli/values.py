"""What people write on the command line, as the library takes it; and the tables it answers with."""

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path

import click
import ml_dtypes
import numpy
import rich.box
import rich.console
import rich.progress
import rich.table


class Shape(click.ParamType):
    """1,3,64,64 or 1x3x64x64; "" is the shape of a scalar."""

    name = "shape"

    def convert(self, value, param, context):
        if not isinstance(value, str):
            return value
        try:
            return [int(extent) for extent in value.replace("x", ",").split(",") if value]
        except ValueError:
            self.fail(f"'{value}' is no shape, want extents such as 1,3,64,64", param, context)


class Argument(click.ParamType):
    """name=value: an integer, a float, a text, several with commas between them, or JSON."""

    name = "name=value"

    def convert(self, value, param, context):
        if not isinstance(value, str):
            return value
        name, equals, text = value.partition("=")
        if not name or not equals:
            self.fail(f"'{value}' is no argument, want name=value", param, context)
        if text[:1] in ("[", '"'):
            try:
                return name, json.loads(text)
            except json.JSONDecodeError as error:
                self.fail(f"'{text}' of {name} is not JSON: {error}", param, context)
        parts = [scalar(part) for part in text.split(",")]
        return name, parts if len(parts) > 1 else parts[0]


def scalar(text):
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


class Named(click.ParamType):
    """name=path"""

    name = "name=file.npy"

    def convert(self, value, param, context):
        if not isinstance(value, str):
            return value
        name, equals, path = value.partition("=")
        if not name or not path:
            self.fail(f"'{value}' names no file, want name=file.npy", param, context)
        return name, Path(path)


def arguments_option(command):
    return click.option(
        "--arg", "arguments", type=Argument(), multiple=True, metavar="NAME=VALUE",
        help="An argument, as `sylvite operator NAME` lists them: block_size=2, shape=3,-1, paddings=[[0,1],[2,0]].",
    )(command)


def named(pairs, what):
    """A dictionary of pairs; one given twice is a usage error."""
    found = {}
    for name, value in pairs:
        if name in found:
            raise click.UsageError(f"{what} {name} is given twice")
        found[name] = value
    return found


def checked(function, *given, **arguments):
    """A call of the library that is given what people wrote, of any type."""
    try:
        return function(*given, **arguments)
    except TypeError as error:
        raise click.ClickException(str(error)) from None


def json_option(command):
    return click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")(command)


def print_json(value):
    click.echo(json.dumps(value, indent=2))


def console():
    """As wide as the terminal; a pipe gets lines as long as they need to be."""
    wide = None if sys.stdout.isatty() else 200
    return rich.console.Console(width=wide, highlight=False, markup=False, emoji=False)


def table(*columns, right=()):
    """Column heads; those in `right` hold numbers."""
    made = rich.table.Table(box=rich.box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def print_facts(facts):
    """Two columns: what, and how much."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        click.echo(f"{name:<{width}}  {value}")


def progress(description, total):
    """A bar on stderr, on a terminal alone; use as a context, call to advance."""
    bar = rich.progress.Progress(
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(), rich.progress.MofNCompleteColumn(), rich.progress.TimeElapsedColumn(),
        console=rich.console.Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
    )

    @contextlib.contextmanager
    def shown():
        with bar:
            task = bar.add_task(description, total=total)

            def advance(next_description=None):
                bar.update(task, advance=1, description=next_description or description)

            yield advance

    return shown()


def load(path):
    """An array out of a .npy file. Two bytes of no type are bfloat16, as NumPy writes it; texts (S) are
    strings."""
    try:
        array = numpy.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise click.ClickException(f"{path}: {error}, want an array as numpy.save writes it") from None
    if not isinstance(array, numpy.ndarray):
        array.close()
        raise click.ClickException(f"{path} holds several arrays, want one, as numpy.save writes it")
    if array.dtype == numpy.dtype("V2"):
        return array.view(ml_dtypes.bfloat16)
    return array.astype(object) if array.dtype.kind == "S" else array


def save(path, array):
    """All of the file or nothing of it."""
    if array.dtype == object:
        longest = max((len(text) for text in array.flat), default=1)
        if any(text.endswith(b"\0") for text in array.flat):
            raise click.ClickException(f"{path}: a text ends with a 0 byte, which .npy files cannot hold")
        array = array.astype(f"S{max(longest, 1)}")
    folder = Path(path).parent
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".sylvite-", delete=False) as file:
        try:
            numpy.save(file, array, allow_pickle=False)
            file.close()
            os.chmod(file.name, 0o666 & ~_umask())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def shape_text(shape):
    return "[" + ", ".join(map(str, shape)) + "]"


def bytes_text(count):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
