"""Builds SpaceToBatch with Halide's own schedulers, for the bench to stand beside ours.

Writes OUT/baselines.o, all builds in one object, and OUT/bench_baselines.h, their table. A scheduler
that refuses an algorithm is no error: the table says why.
"""
import argparse
import pathlib
import subprocess

SCHEDULERS = {"Mullapudi2016": "mullapudi2016", "Adams2019": "adams2019"}
BITS = (8, 16, 32, 64)
BLOCKS = (2, 3, 4, 5)


def build(args, scheduler, bits, block):
    """The object's path, or why there is none."""
    name = f"sv_{SCHEDULERS[scheduler]}_b{block}_u{bits}"
    command = [args.generator, "-g", "space_to_batch", "-f", name, "-n", name, "-e", "object", "-o", args.out,
               "-p", f"{args.plugins}/libautoschedule_{SCHEDULERS[scheduler]}.so", f"target={args.target}-no_runtime",
               f"autoscheduler={scheduler}", "autoscheduler.parallelism=2", f"element=uint{bits}", f"block_w={block}"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except subprocess.CalledProcessError as error:
        return name, None, (error.stderr.strip().splitlines() or ["no message"])[0]
    except subprocess.TimeoutExpired:
        return name, None, "took longer than a minute"
    return name, f"{args.out}/{name}.o", None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option in ("generator", "plugins", "target", "rename", "objcopy", "linker", "out"):
        parser.add_argument("--" + option, required=True)
    args = parser.parse_args()
    pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
    objects, declarations, rows, refused = [], [], [], []
    for scheduler in SCHEDULERS:
        for bits in BITS:
            for block in BLOCKS:
                name, path, reason = build(args, scheduler, bits, block)
                if reason:
                    refused.append(f'    "{scheduler}, block {block}, {bits} bits: {reason}",'.replace("\\", ""))
                    continue
                objects.append(path)
                declarations.append(f'int {name}_argv(void** args);')
                rows.append(f'    {{"{scheduler}", {bits}, {block}, {name}_argv}},')
    combined = f"{args.out}/baselines.o"
    if objects:
        subprocess.run([args.linker, "-r", "-o", combined, *objects], check=True)
        subprocess.run([args.objcopy, f"--redefine-syms={args.rename}", combined], check=True)
    else:
        raise SystemExit("no scheduler made any kernel: " + refused[0])
    lines = ["#pragma once", "#include <span>", "#include <string_view>", "#include <vector>", 'extern "C" {', *declarations, "}",
             "struct Baseline {", "  const char* scheduler;", "  int bits;", "  int block_w;",
             "  int (*argv)(void** args);  // x(column, row, n, m), block_h -> y(w, h, n, m, oy, ox)", "};",
             "inline constexpr Baseline kBaselines[] = {", *rows, "};",
             "inline std::span<const Baseline> baselines() { return kBaselines; }",
             "/// The builds a scheduler refused, and why.",
             "inline std::vector<std::string_view> refused_baselines() { return {", *refused, "}; }"]
    pathlib.Path(f"{args.out}/bench_baselines.h").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
