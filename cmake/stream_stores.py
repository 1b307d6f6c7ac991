#!/usr/bin/env python3
"""Makes an object file whose stores to one buffer bypass the caches, out of a kernel's optimised LLVM assembly.

Halide names the buffer of each access in its TBAA tag and records CPU and features in module flags, so the assembly
says everything that is needed. Only code generation runs here; the optimiser does not run again.
"""
import argparse
import re
import sys
from pathlib import Path

import llvmlite.binding as llvm

CACHE_LINE = 64
FENCES = {
    "x86_64": ("  call void @llvm.x86.sse.sfence()", "declare void @llvm.x86.sse.sfence()\n"),
    "aarch64": ("  fence release", ""),
}
ELEMENT_BITS = {"half": 16, "bfloat": 16, "float": 32, "double": 64, "ptr": 64}
FUNCTION = re.compile(r"^define .*?^}$", re.M | re.S)
NAME = r"[\w.$-]+"
PUBLIC_FUNCTION = re.compile(rf"^define (?!internal |private ).*?@({NAME})\(", re.M)
PUBLIC_DATA = re.compile(rf"^@({NAME}) = (?!internal |private |external )", re.M)
VECTOR_STORE = re.compile(r"  store <(\d+) x (\w+)> .*, align (\d+), ")
PREFETCH_PAST_CACHES = re.compile(r"(@llvm\.prefetch\.p0\(ptr .*, i32 0), i32 0, i32 1\)")
BULK_STORE = re.compile(r".*@llvm\.(masked\.store|memcpy|memmove|memset)\.")


def buffer_tags(ir, buffer):
    """The TBAA access tags of the buffer: of its own type node and of those below it (y.width16.base32)."""
    root = re.findall(r'^!(\d+) = !{!"Halide buffer"}$', ir, re.M)
    nodes = {i: (name, parent) for i, name, parent in re.findall(r'^!(\d+) = !{!"(.*)", !(\d+), i64 0}$', ir, re.M)}

    def belongs(node):
        while node in nodes:
            name, parent = nodes[node]
            if name == buffer and parent in root:
                return True
            node = parent
        return False

    return {tag for tag, node in re.findall(r"^!(\d+) = !{!\d+, !(\d+), i64 0}$", ir, re.M) if belongs(node)}


def can_stream(lanes, element, align):
    """An underaligned vector is taken apart: on x86-64 into narrower stores, at worst eight bytes each."""
    size = int(lanes) * int(ELEMENT_BITS.get(element) or element[1:]) // 8
    return size >= 16 and int(align) >= min(size, CACHE_LINE)


def stream(ir, buffer):
    """The assembly with streaming stores and fences, how many stores stream, and how many that write vectors do not."""
    arch = re.search(r'^target triple = "(\w+)-', ir, re.M)[1]
    if arch not in FENCES:
        raise ValueError(f"no store fence is known for {arch}, only for {', '.join(FENCES)}")
    fence, declaration = FENCES[arch]
    tags = buffer_tags(ir, buffer)
    if not tags:
        raise ValueError(f"no access is tagged with the buffer {buffer}")
    mark = 1 + max(map(int, re.findall(r"^!(\d+) = ", ir, re.M)))
    marked = unmarked = 0

    def mark_function(match):
        nonlocal marked, unmarked
        before, lines = marked, match[0].split("\n")
        for i, line in enumerate(lines):
            tag = re.search(r" !tbaa !(\d+)", line)
            store = VECTOR_STORE.match(line)
            if not tag or tag[1] not in tags or not (store or BULK_STORE.match(line)):
                continue
            if store and can_stream(*store.groups()):
                lines[i] += f", !nontemporal !{mark}"
                marked += 1
            else:
                unmarked += 1
        if marked == before:
            return match[0]
        return "\n".join(f"{fence}\n{line}" if line.startswith("  ret ") else line for line in lines)

    ir = FUNCTION.sub(mark_function, ir)
    # Halide asks for lines that are used once: on x86-64 past the second-level cache, at half the speed.
    ir = PREFETCH_PAST_CACHES.sub(r"\1, i32 3, i32 1)", ir)
    return f"{ir}{declaration}!{mark} = !{{i32 1}}\n", marked, unmarked


def public_names(ir, function, suffix):
    """What the module defines, mapped to what Halide would have called it for a function of the longer name."""
    defined = PUBLIC_FUNCTION.findall(ir) + PUBLIC_DATA.findall(ir)
    if function not in defined:
        raise ValueError(f"defines no function {function}, but {', '.join(defined)}")
    return {name: function + suffix + name.removeprefix(function) for name in defined}


def rename(ir, names):
    return re.sub(rf"@({NAME})", lambda match: f"@{names.get(match[1], match[1])}", ir)


def target_machine(ir):
    """Code generation for the CPU and features that Halide compiled for."""
    def flag(name):
        return re.search(rf'!"halide_{name}", !"(.*)"}}', ir)[1]

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(re.search(r'^target triple = "(.*)"', ir, re.M)[1])
    return target.create_target_machine(cpu=flag("mcpu_target"), features=flag("mattrs"), abiname=flag("mabi"),
                                        opt=3, reloc="pic", codemodel="default")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("assembly", type=Path, metavar="KERNEL.ll", help="written by a generator's -e llvm_assembly")
    parser.add_argument("--function", required=True, help="the kernel's name in the assembly")
    parser.add_argument("--suffix", default="", help="put behind the kernel's name in every public name")
    parser.add_argument("--buffer", required=True, help="the output whose aligned vector stores stream")
    parser.add_argument("--object", required=True, type=Path, help="the object file to write")
    parser.add_argument("--rename", type=Path, metavar="FILE", help="other names, lines 'old new' as for objcopy")
    parser.add_argument("--all", action="store_true", help="fail too if some vector store to the buffer cannot stream")
    return parser.parse_args()


def main():
    args = parse_arguments()
    ir = args.assembly.read_text()
    try:
        ir, marked, unmarked = stream(ir, args.buffer)
        report = f"{marked} vector stores to {args.buffer} stream, {unmarked} do not"
        if not marked or (args.all and unmarked):
            raise ValueError(report)
        names = public_names(ir, args.function, args.suffix)
    except ValueError as error:
        sys.exit(f"stream_stores: {args.assembly}: {error}")
    if args.rename:
        names |= dict(line.split() for line in args.rename.read_text().splitlines())
    ir = rename(ir, names)
    module = llvm.parse_assembly(ir)
    module.verify()
    args.object.write_bytes(target_machine(ir).emit_object(module))
    print(f"{args.function}{args.suffix}: {report}")


if __name__ == "__main__":
    main()
