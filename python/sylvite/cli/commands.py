"""The group of all commands, and what they share: errors, and where calls run."""

import functools
import importlib

import click

import sylvite

# Commands by name: module and attribute. Loaded when they are asked for, so that NumPy's and Optuna's
# start is paid by those who use them.
COMMANDS = {
    "targets": (".listing", "targets"),
    "operators": (".listing", "operators"),
    "operator": (".listing", "operator"),
    "explain": (".explain", "explain"),
    "run": (".run", "run"),
    "bench": (".bench", "bench"),
    "net": (".net", "net"),
    "tune": ("sylvite.tuner.commands", "tune"),
    "advise-block": ("sylvite.tuner.commands", "advise_block"),
}


class Commands(click.Group):
    """Loads commands late, and turns what they raise into a line on stderr and exit code 1."""

    def list_commands(self, context):
        return [name for name in COMMANDS if self.get_command(context, name)]

    def get_command(self, context, name):
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name]
        try:
            return getattr(importlib.import_module(module, __package__), attribute)
        except ModuleNotFoundError as error:
            if error.name.startswith("sylvite.cli"):
                raise
            return None  # the tuner, or what it needs, is not installed

    def resolve_command(self, context, args):
        if args and args[0] in COMMANDS and self.get_command(context, args[0]) is None:
            raise click.ClickException(f"{args[0]} needs the tuner: pip install 'sylvite[tune]', in a source tree")
        return super().resolve_command(context, args)

    def invoke(self, context):
        try:
            return super().invoke(context)
        except (sylvite.Error, OSError, MemoryError) as error:
            raise click.ClickException(str(error) or type(error).__name__) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(sylvite.__version__, prog_name="sylvite")
def cli():
    """Tensor operators whose kernels Halide generates: look at them, run them on .npy files, time them.

    Exit code: 0, 1 after an error (a line on stderr says which), 2 for a wrong command line.
    """


def places(command):
    """Options --target and --threads, in force while the command runs."""

    @click.option("--target", metavar="NAME", help="Kernels of this target, out of `sylvite targets`. Default: the best.")
    @click.option("--threads", type=click.IntRange(0), default=0, help="Threads a call may use. Default: one per core.")
    @functools.wraps(command)
    def placed(target, threads, **options):
        try:
            sylvite.use_target(target)
            sylvite.set_num_threads(threads)
            return command(**options)
        finally:
            sylvite.use_target(None)
            sylvite.set_num_threads(0)

    return placed


def main():
    cli(prog_name="sylvite")
