"""Lines of bench/shapes: those that are timed, and random and edge shapes that a candidate is checked on."""
import hashlib
import random
import re

from .errors import TunerError

# Where calls that reach a family's kernels stand.
FAMILIES = {
    "space_batch": ("space_batch",),
    "pixels": ("space_batch",),
    "strided_copy": ("expand", "space_batch"),
    "transpose": ("cast", "space_batch"),
    "expand": ("expand",),
    "cast": ("cast",),
    "expand_gradient": ("expand_gradient",),
}
WIDTHS = {"bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2,
          "int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8}
NAMES = {1: "uint8", 2: "uint16", 4: "float32", 8: "uint64"}
SHORT = {"f": "float", "bf": "bfloat", "i": "int", "u": "uint"}
LINE = 64  # bytes


def long_name(short):
    """f16 -> float16, bool -> bool"""
    if short == "bool":
        return short
    kind, bits = re.fullmatch(r"(bf|f|i|u)(\d+)", short).groups()
    return SHORT[kind] + bits


def types_of(group):
    """The dtypes in a group's name: one for a width, two for a pair."""
    rest = group.name.removeprefix(group.generator).split("_")
    found = [word for word in rest if re.fullmatch(r"bool|(bf|f|i|u)\d+", word)]
    return [long_name(word) for word in found]


def serves(kernel, dtype):
    """Whether kernels of one dtype may run another: those of unsigned integers do the signed ones' work."""
    return dtype in (kernel, kernel.removeprefix("u"))


def touches(group, line):
    """Whether a line may reach the group: elements of its width or its dtypes, in and out."""
    words = line.split()
    types = types_of(group)
    if len(types) == 2:
        told = words[1:2] if group.family == "expand_gradient" else words[1:3]  # dy alone; from and to
        return all(map(serves, types, told))
    dtypes = [word for word in words[1:4] if word in WIDTHS]
    if group.generator == "repeat":  # which takes several short elements for one
        return any(WIDTHS[dtype] <= WIDTHS[types[0]] for dtype in dtypes)
    return any(WIDTHS[types[0]] == WIDTHS[dtype] for dtype in dtypes)


def read(source, family, shapes=None):
    path = (shapes or source / "bench/shapes") / f"{family}.txt"
    if not path.exists():
        raise TunerError(f"{path} is missing")
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [" ".join(line.split()) for line in lines if line]


def timed_lines(source, group, shapes=None):
    """(family, line) of every row that may reach the group."""
    return [(family, line) for family in FAMILIES.get(group.family, ())
            for line in read(source, family, shapes) if touches(group, line)]


def digest(lines):
    return "sha256:" + hashlib.sha256("\n".join(f"{family} {line}" for family, line in lines).encode()).hexdigest()[:16]


# --- shapes to check on --------------------------------------------------------------------------

def around(draw, lanes, whole=False):
    """An extent near a whole number of vectors, or small; or whole vectors, which can stream."""
    if whole:
        return lanes * draw.choice((1, 2, 4, 16))
    return max(1, draw.choice([1, 2, 3, draw.randint(1, 3 * lanes), lanes - 1, lanes, lanes + 1, 2 * lanes,
                               2 * lanes + 1, 4 * lanes, 4 * lanes + 3, 9 * lanes]))


def name_of(draw, i, whole):
    return f"check{i}" + ("_unaligned" if not whole and draw.random() < .3 else "")


def any_sides(draw, step, none, some):
    """Padding or crops of an axis: `none`, `some`, or by chance."""
    if none or (not some and draw.random() < .67):
        return 0, 0
    return draw.randint(0, step), draw.randint(0, step)


def space_batch_line(draw, i, width, whole, generator):
    lanes = LINE // width
    op, layout = draw.choice(("s2b", "b2s")), draw.choice(("nchw", "nchw", "nhwc"))
    filled = generator == "fill"  # rows of padding, which stream where they are whole
    if filled:
        op, layout = "s2b", "nchw"
    elif "space_to_batch" in generator or "batch_to_space" in generator:
        op, layout = "s2b" if generator.startswith("space") else "b2s", "nchw"
    elif "pixels" in generator:
        op, layout = "s2b" if generator.startswith("pixels") else "b2s", "nhwc"
    masked = generator == "space_to_batch_masked"
    whole = whole and not masked
    block = [draw.choice((1, 2, 3, 4, 5, 6, 7)) for _ in range(2)]
    if draw.random() < .5:
        block[0] = block[1]
    phase = [draw.randint(1, 40), around(draw, lanes, whole)]
    images, channels = draw.randint(1, 2), 3 if "pixels" in generator else draw.choice((1, 2, 3, 4))
    if op == "s2b":
        space, pads = [], []
        for axis, (extent, step) in enumerate(zip(phase, block)):
            sides = any_sides(draw, step, whole and not (filled and axis == 0), masked or filled)
            sides = sides if sum(sides) < extent * step else (0, 0)
            space.append(extent * step - sum(sides))
            pads.append(sides)
    else:
        space = phase
        images *= block[0] * block[1]
        pads = []
        for extent, step in zip(phase, block):
            sides = any_sides(draw, step, whole, False)
            pads.append(sides if sum(sides) < extent * step else (0, 0))
    shape = [images, channels, *space] if layout == "nchw" else [images, *space, channels]
    sides = ",".join(f"{before}:{after}" for before, after in pads) if any(map(any, pads)) else "-"
    return f"{name_of(draw, i, whole)} {op} {NAMES[width]} {layout} {'x'.join(map(str, shape))} {block[0]}x{block[1]} {sides} 1"


def expand_line(draw, i, width, whole, generator):
    lanes = LINE // width
    kind = draw.choice(("repeat", "repeat", "rows", "row", "row", "any", "any", "pixels", "pixels"))
    if generator == "repeat":  # each number of times, of whole vectors and of any extent
        kind, whole = "repeat", i % 2 == 0
    elif generator == "repeat_pixels":
        kind = "pixels"
    extent = around(draw, lanes, whole)
    if kind == "repeat":
        times = 2 + i // 2 % 16
        many = extent * draw.choice((1, 1, 16, 200))
        x, y = [many, 1], [many, times]
        if generator == "repeat" and width > 1 and i % 3 == 0:  # elements that are two narrower ones
            width, x, y = width // 2, [*x, 2], [*y, 2]
    elif kind == "pixels":
        channels, times = 3 if generator == "repeat_pixels" else draw.choice((2, 3, 5, 7)), draw.randint(2, 6)
        x, y = [extent, 1, channels], [extent, times, channels]
    elif kind == "rows":
        rows = draw.randint(1, 20)
        x, y = [rows, 1], [rows, extent]
    elif kind == "row":
        x, y = [1, draw.choice((1, extent))], [draw.randint(1, 40), extent]
    else:
        y = [draw.randint(1, 5), draw.randint(1, 5), draw.randint(1, 4), extent]
        x = [extent if draw.random() < .5 else 1 for extent in y]
    return f"{name_of(draw, i, whole)} {NAMES[width]} {'x'.join(map(str, x))} {'x'.join(map(str, y))} 1"


def cast_line(draw, i, types, whole):
    lanes = LINE // min(WIDTHS[dtype] for dtype in types)
    order = draw.choice(("dense", "dense", "transposed"))
    rows = 1 if order == "dense" and draw.random() < .5 else around(draw, lanes)
    columns = around(draw, lanes, whole) * draw.choice((1, 1, 8))
    return f"{name_of(draw, i, whole)} {types[0]} {types[1]} {rows}x{columns} {order} 1"


def expand_gradient_line(draw, i, dtype, whole):
    lanes = LINE // WIDTHS[dtype]
    dy = draw.choice(([around(draw, lanes), around(draw, lanes)],
                      [draw.randint(1, 70), around(draw, lanes)],
                      [around(draw, lanes) * 8, draw.randint(1, 20)],
                      [draw.randint(1, 6), draw.randint(1, 30), draw.randint(1, 6), around(draw, lanes)]))
    x = [extent if draw.random() < .5 else 1 for extent in dy]
    return f"{name_of(draw, i, whole)} {dtype} {'x'.join(map(str, dy))} {'x'.join(map(str, x))} 1"


def checked_lines(group, count=240, seed=8):
    """(family, line) of random and edge shapes, the same for one seed."""
    draw = random.Random(f"{group.name} {seed}")
    types = types_of(group)
    width = WIDTHS[types[0]]
    families = FAMILIES.get(group.family, ())
    lines = []
    for i in range(count):
        family = families[i % len(families)]
        whole = draw.random() < .4
        if family == "space_batch":
            line = space_batch_line(draw, i, width, whole, group.generator)
        elif family == "expand":
            line = expand_line(draw, i, width, whole, group.generator)
        elif family == "cast":
            line = cast_line(draw, i, types if len(types) == 2 else [NAMES[width]] * 2, whole)
        else:
            line = expand_gradient_line(draw, i, types[0], whole)
        lines.append((family, line))
    return lines
