#!/usr/bin/env python3
"""The step that makes a kernel's stores to its output stream, on a kernel as Halide writes it, cut to what matters."""
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import llvmlite.binding as llvm

CMAKE = Path(__file__).resolve().parents[2] / "cmake"
sys.path.insert(0, str(CMAKE))
import stream_stores  # noqa: E402

# Four vector stores to y (one aligned and tagged y, one aligned and tagged below y, one unaligned, one masked), one to
# another buffer z, and one that only looks like y: C++'s tags have another root.
KERNEL = """
target triple = "{triple}"
@table = private constant [2 x i8] c"A\\00", align 32
declare i32 @halide_do_par_for(ptr, ptr, i32, i32, ptr)
define noundef i32 @k_par_for_y_s0_w(ptr %user, i32 %w, ptr readonly captures(none) %closure) {{
entry:
  %y = load ptr, ptr %closure, align 8
  %v = load {vector}, ptr %closure, align 4, !tbaa !9
  store {vector} %v, ptr %y, align {align}, !tbaa !7
  %more = getelementptr i8, ptr %y, i64 64
  store {vector} %v, ptr %more, align {align}, !tbaa !8
  %early = icmp eq i32 %w, 0
  br i1 %early, label %return, label %tail
return:
  ret i32 0
tail:
  store {vector} %v, ptr %y, align 4, !tbaa !7
  call void @llvm.masked.store.{mangled}.p0({vector} %v, ptr %more, i32 64, <{lanes} x i1> zeroinitializer), !tbaa !7
  store {vector} %v, ptr %closure, align 64, !tbaa !9
  store {vector} %v, ptr %closure, align 64, !tbaa !11
  ret i32 0
}}
define i32 @k(ptr %x.buffer, ptr %y.buffer) {{
  %result = tail call i32 @halide_do_par_for(ptr null, ptr nonnull @k_par_for_y_s0_w, i32 0, i32 2, ptr %x.buffer)
  ret i32 %result
}}
define i32 @k_argv(ptr %args) {{
  %result = tail call i32 @k(ptr %args, ptr %args)
  ret i32 %result
}}
define ptr @k_metadata() {{
  ret ptr @table
}}
!llvm.module.flags = !{{!0, !1, !2}}
!0 = !{{i32 2, !"halide_mcpu_target", !"{cpu}"}}
!1 = !{{i32 2, !"halide_mattrs", !"{attrs}"}}
!2 = !{{i32 2, !"halide_mabi", !""}}
!3 = !{{!"Halide buffer"}}
!4 = !{{!"y", !3, i64 0}}
!5 = !{{!"y.width{lanes}.base0", !4, i64 0}}
!6 = !{{!"z", !3, i64 0}}
!7 = !{{!4, !4, i64 0}}
!8 = !{{!5, !5, i64 0}}
!9 = !{{!6, !6, i64 0}}
!10 = !{{!"y", !12, i64 0}}
!11 = !{{!10, !10, i64 0}}
!12 = !{{!"Simple C++ TBAA"}}
declare void @llvm.masked.store.{mangled}.p0({vector}, ptr, i32, <{lanes} x i1>)
"""
X86, ARM = "x86_64--linux-gnu", "aarch64--linux-gnueabihf"
# name: triple, CPU, features, lanes of i32, the streaming store, the fence
TARGETS = {
    "x86_64": (X86, "penryn", "", 4, r"movntps\s+%xmm", "sfence"),
    "x86_64_avx2": (X86, "haswell", "+fma,+f16c", 8, r"vmovntps\s+%ymm", "sfence"),
    "x86_64_avx512": (X86, "skylake-avx512", "+avx512f,+avx512vl", 16, r"vmovntps\s+%zmm", "sfence"),
    "arm64": (ARM, "generic", "", 4, r"stnp\s+d", r"dmb\s+ish"),
}


def kernel(target, align=64):
    triple, cpu, attrs, lanes, _, _ = TARGETS[target]
    return KERNEL.format(triple=triple, cpu=cpu, attrs=attrs, lanes=lanes, align=align,
                         vector=f"<{lanes} x i32>", mangled=f"v{lanes}i32")


def bodies(ir):
    """Function name to its machine instructions."""
    assembly = stream_stores.target_machine(ir).emit_assembly(llvm.parse_assembly(ir))
    parts = re.split(r"^(k\w*):", assembly, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def run(ir, *more):
    with tempfile.TemporaryDirectory() as folder:
        source, object_file = Path(folder, "k.ll"), Path(folder, "k.o")
        source.write_text(ir)
        Path(folder, "names").write_text("halide_do_par_for sv_halide_do_par_for\nunused other\n")
        result = subprocess.run([sys.executable, CMAKE / "stream_stores.py", source, "--function", "k", "--buffer", "y",
                                 "--object", object_file, *more], cwd=folder, capture_output=True, text=True)
        return result, object_file.read_bytes() if object_file.exists() else None


def symbols(data):
    return {name.decode() for name in re.findall(rb"\0(k\w*|\w*halide\w*)(?=\0)", data)}


class StreamStores(unittest.TestCase):
    def test_aligned_stores_to_the_buffer_stream_and_no_others(self):
        for target, (*_, store, _) in TARGETS.items():
            with self.subTest(target):
                ir, marked, unmarked = stream_stores.stream(kernel(target), "y")
                self.assertEqual((marked, unmarked), (2, 2))
                self.assertEqual(len(re.findall(store, bodies(ir)["k_par_for_y_s0_w"])), 2)

    def test_every_return_of_a_streaming_function_is_fenced(self):
        for target, (*_, store, fence) in TARGETS.items():
            with self.subTest(target):
                functions = bodies(stream_stores.stream(kernel(target), "y")[0])
                body = functions.pop("k_par_for_y_s0_w")
                paths = re.split(r"^\s+ret", body, flags=re.M)[:-1]
                self.assertTrue(all(re.search(fence, path) for path in paths))
                self.assertGreater(re.search(fence, body).start(), [m.start() for m in re.finditer(store, body)][-1])
                self.assertFalse(any(re.search(fence, other) for other in functions.values()))

    def test_both_variants_link_in_one_program(self):
        for target in TARGETS:
            with self.subTest(target):
                result, data = run(kernel(target), "--suffix", "_stream", "--rename", "names")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(symbols(data), {"k_stream", "k_stream_argv", "k_stream_metadata",
                                                 "k_stream_par_for_y_s0_w", "sv_halide_do_par_for"})
                self.assertIn("k_stream: 2 vector stores to y stream, 2 do not", result.stdout)

    def test_the_same_input_gives_the_same_bytes(self):
        self.assertEqual(run(kernel("x86_64_avx2"))[1], run(kernel("x86_64_avx2"))[1])

    def test_nothing_is_written_unless_stores_stream(self):
        for name, ir, arguments, message in [
            ("unaligned", kernel("x86_64_avx512", align=32), [], "0 vector stores to y stream, 4 do not"),
            ("all", kernel("x86_64_avx512"), ["--all"], "2 vector stores to y stream, 2 do not"),
            ("no such buffer", kernel("x86_64"), ["--buffer", "w"], "no access is tagged with the buffer w"),
            ("no such kernel", kernel("x86_64"), ["--function", "m"], "defines no function m, but k_par_for_y_s0_w, k"),
            ("no fence", kernel("x86_64").replace(X86, "wasm32--"), [], "no store fence is known for wasm32"),
        ]:
            with self.subTest(name):
                result, data = run(ir, *arguments)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(message, result.stderr)
                self.assertIsNone(data)


if __name__ == "__main__":
    unittest.main()
