"""What a call would run, down to the loops of its kernel."""

import click

import sylvite

from .commands import places
from .loops import LoopsError, loop_nest
from .values import (Shape, arguments_option, bytes_text, checked, json_option, named, print_facts, print_json,
                     shape_text)


@click.command()
@click.argument("op")
@click.option("--shape", "shapes", type=Shape(), multiple=True, required=True, help="Of an input, 1,3,64,64; once per input.")
@click.option("--dtype", "dtypes", multiple=True, default=["float32"], show_default=True, help="Once for all inputs, or per input.")
@arguments_option
@click.option("--loops", type=click.Choice(["auto", "none", "nest", "full"]), default="auto", show_default=True,
              help="The kernel's loops: without index arithmetic (nest), with it (full), or nest where a build is at hand (auto).")
@click.option("--build", type=click.Path(exists=True, file_okay=False),
              help="A build directory of the sources, whose generators print the loops. Default: the one this package is in.")
@json_option
@places
def explain(op, shapes, dtypes, arguments, loops, build, as_json):
    """Which kernel a call runs, and what it moves.

    The call is operator OP on dense arrays; nothing is run. The loops are those the kernel's generator makes of its schedule for that target; they
    need the generators of a build.
    """
    if len(dtypes) not in (1, len(shapes)):
        raise click.UsageError(f"{len(dtypes)} times --dtype for {len(shapes)} times --shape, want one or {len(shapes)}")
    if len(dtypes) < len(shapes):
        dtypes = dtypes * len(shapes)
    facts = checked(sylvite.explain, op, list(zip(dtypes, shapes)), **named(arguments, "argument"))
    nest, why_not = None, None
    if loops != "none":
        try:
            nest = loop_nest(facts, build, full=loops == "full")
        except LoopsError as error:
            if loops != "auto":
                raise click.ClickException(str(error)) from None
            why_not = str(error)
    if as_json:
        return print_json({**facts, "output_shape": list(facts["output_shape"]), "loops": nest})
    moved = facts["bytes_read"] + facts["bytes_written"]
    print_facts([
        ("operator", facts["op"]),
        ("inputs", ", ".join(f"{dtype} {shape_text(shape)}" for dtype, shape in zip(dtypes, shapes))),
        ("output", shape_text(facts["output_shape"])),
        ("kernel", facts["kernel"]),
        ("target", facts["target"] or "-"),
        ("stores", {"stream": "non-temporal", "plain": "ordinary"}.get(facts["variant"], facts["variant"] or "-")),
        ("reads", f"{facts['bytes_read']} B ({bytes_text(facts['bytes_read'])})"),
        ("writes", f"{facts['bytes_written']} B ({bytes_text(facts['bytes_written'])})"),
        ("moves", f"{moved} B ({bytes_text(moved)})"),
        ("boxes", facts["kernel_calls"]),
        ("tasks", facts["tasks"]),
    ])
    if nest:
        click.echo(f"\n{nest}")
    elif why_not:
        click.echo(f"\nloops: {why_not}")
