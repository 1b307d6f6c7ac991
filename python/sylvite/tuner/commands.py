"""The command line: tune, and advise-block. The package's own command line takes both as they stand here."""
import shlex
import time
from pathlib import Path

import click

from .errors import CandidateFailed, TunerError


def reported(command):
    """Errors of the user's, without a traceback."""
    def run(**options):
        try:
            return command(**options)
        except (TunerError, CandidateFailed) as error:
            raise click.ClickException(str(error)) from None
        except ValueError as error:
            raise click.ClickException(f"{type(error).__name__}: {error}") from None

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def best_target(build):
    """The best CPU target of this machine."""
    with open("/proc/cpuinfo") as file:
        flags = next((set(line.split()) for line in file if line.startswith(("flags", "Features"))), set())
    for name, facts in build.targets.items():
        if facts["device"] == "cpu" and facts["flags"] and flags.issuperset(facts["flags"]):
            return name
    raise TunerError("no CPU target runs on this machine: --target names one")


def resume_command(context):
    """The command as it was given, with --resume."""
    parts = ["sylvite tune" if context.command_path.startswith("sylvite") else "./x tune", "--resume"]
    for option in context.command.params:
        given = context.get_parameter_source(option.name) == click.core.ParameterSource.COMMANDLINE
        if given and option.name != "resume":
            parts += [option.opts[0], shlex.quote(str(context.params[option.name]))]
    return " ".join(parts)


@click.command()
@click.option("--target", help="A target of cmake/targets.cmake. Default: the best CPU target of this machine.")
@click.option("--kernel", help="A regular expression on names of groups or kernels, e.g. space_to_batch_u32. Default: all.")
@click.option("--trials", type=click.IntRange(1), help="Trials per group. Default: all of a small grid, else 24.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Time for all groups together.")
@click.option("--sampler", type=click.Choice(["grid", "random", "tpe"]), help="Default: grid where it is small, else tpe.")
@click.option("--storage", help="Any Optuna storage URL. Default: build/release/tune/studies.db.")
@click.option("--runner", "prefix", default="", help="Command before the runner's path: qemu-aarch64, a script that uses ssh.")
@click.option("--resume", is_flag=True, help="Go on with the studies in the storage, beside other machines too.")
@click.option("--threads", type=click.IntRange(1), help="Threads of a call. Default: all of the runner's machine.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=5., show_default=True, help="Timing per trial.")
@click.option("--shapes", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of <family>.txt instead of bench/shapes.")
@click.option("--records", type=click.Path(file_okay=False, path_type=Path), help="Folder of <target>.json instead of schedules/tuned.")
@click.option("--source", type=click.Path(exists=True, file_okay=False), help="The source tree. Default: around the working folder.")
@click.option("--check", is_flag=True, help="Measure the recorded rows again and report drift.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), is_flag=False, flag_value=Path("tune.html"),
              help="Write an HTML page of what was found.")
@click.option("--baselines", is_flag=True, help="Measure Halide's own schedulers against the library's kernels.")
@reported
def tune(target, check, report, baselines, source, **options):
    """Search for better knobs of the schedules, and record what wins, in schedules/tuned."""
    from . import session
    from .build import Build, find_source
    build = Build(find_source(source))
    if report:
        from .report import write_report
        click.echo(f"wrote {write_report(build, report, options['storage'], options['records'])}")
        return
    target = target or best_target(build)
    if check:
        raise SystemExit(session.check(build, target, **options))
    if baselines:
        raise SystemExit(session.baselines(build, target, **options))
    raise SystemExit(session.tune(build, target, time.monotonic(), resume_command(click.get_current_context()), **options))


@click.command("advise-block")
@click.argument("height", type=click.IntRange(1))
@click.argument("width", type=click.IntRange(1))
@click.option("--dtype", default="float32", show_default=True, help="NumPy's name of the elements' type.")
@click.option("--channels", type=click.IntRange(1), default=16, show_default=True)
@click.option("--images", type=click.IntRange(1), default=1, show_default=True)
@click.option("--layout", type=click.Choice(["nchw", "nhwc"]), default="nchw", show_default=True)
@click.option("--most", type=click.IntRange(2), default=8, show_default=True, help="The largest side of a block.")
@click.option("--sampler", type=click.Choice(["grid", "random", "tpe"]), default="grid", show_default=True)
@click.option("--trials", type=click.IntRange(1), default=24, show_default=True, help="Blocks that random and tpe try.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=.1, show_default=True, help="Timing per block.")
@click.option("--target", help="Default: the best CPU target of this machine.")
@click.option("--runner", "prefix", default="", help="Command before the runner's path.")
@click.option("--source", type=click.Path(exists=True, file_okay=False), help="The source tree. Default: around the working folder.")
@reported
def advise_block(target, source, **options):
    """Which block shapes of SpaceToBatch run best for images of HEIGHT x WIDTH."""
    from .advise import advise
    from .build import Build, find_source
    build = Build(find_source(source))
    for line in advise(build, target or best_target(build), **options):
        click.echo(line)


@click.group()
def main():
    """Sylvite's tuner."""


main.add_command(tune)
main.add_command(advise_block)
