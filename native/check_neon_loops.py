#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the NEON tile loops without the hardware: reads the assembly that the build of preset arm64 leaves of
isa/neon.cpp and isa/neonbf16.cpp, finds the loops of the largest register tiles, fails if one of them touches the
stack, or if llvm-mca sees it below 90 % of the multiply-add limit of neoverse-v2. Loops of few queries are shown beside
them but not judged: they wait for memory or for sums.

Usage: check_neon_loops.py [build directory]   (default: build/arm64)
"""
import collections
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys

TILE = 24  # accumulators of the 8 x 3 tile; the next smaller one, 4 x 3, has 12
REQUIRED = {"neoverse-v2": 0.90}
# Of kernels/decode and kernels/small: rows by a few queries, no register tiles.
NOT_JUDGED = ["ScoreRows", "ValueRows", "attend_few", "attend_small", "weigh_small"]
# The loop that measures the limit.
NOT_SHOWN = "::flops"

# A file of src/isa, what multiplies there and how (a register to write, any two to read), the CPUs to report, and the
# loops to find: the accumulators of one, and how many at least. neon.cpp has those of scores and of values;
# neonbf16.cpp one product for both, in two copies, and beside it narrower tiles for what is left of a sequence, which
# zip more for each product.
Source = collections.namedtuple("Source", "name multiply operands cpus accumulators loops")
SOURCES = [Source("neon", "fmla", "v{}.4s, v30.4s, v31.s[0]", ["neoverse-v2", "apple-m1"], 13, 2),
           Source("neonbf16", "bfmmla", "v{}.4s, v30.8h, v31.8h", ["neoverse-v2", "neoverse-n2"], TILE, 2)]

Loop = collections.namedtuple("Loop", "function label lines")


def assembly_of(source, build):
    path = build / f"native/CMakeFiles/attn4j_isa.dir/src/isa/{source.name}.cpp.s"
    if not path.exists():
        sys.exit(f"check_neon_loops: no {path}: build preset arm64, target attn4j_isa")
    return path.read_text().split("\n")


def is_instruction(line):
    return line.startswith("\t") and not line.startswith("\t.")


def innermost_loops(lines):
    """All [label, branch back to it] that hold no other such range."""
    labels, function, of_function, spans = {}, "", {}, []
    for number, line in enumerate(lines):
        if match := re.match(r"([\w.$]+):", line):
            labels[match[1]] = number
            if not match[1].startswith((".L", "L")):
                function = match[1]
        of_function[number] = function
        match = re.match(r"\t(?:b\.?\w{2}|cbn?z|tbn?z|b)\s+(?:.*,\s*)?([\w.$]+)\s*$", line)
        if match and labels.get(match[1], number) < number:
            spans.append((labels[match[1]], number, match[1]))
    for begin, end, label in spans:
        if not any(begin <= b and e <= end and (b, e) != (begin, end) for b, e, _ in spans):
            yield Loop(of_function[end], label, [line for line in lines[begin + 1:end + 1] if is_instruction(line)])


def accumulators(loop, source):
    """Registers that multiply-adds write. A spilled accumulator shares one."""
    return {match[1] for line in loop.lines if (match := re.match(rf"\t{source.multiply}\t(v\d+)\.4s", line))}


def count(loop, pattern):
    return sum(bool(re.match(pattern, line.strip())) for line in loop.lines)


def readable(symbol):
    if shutil.which("c++filt") is None:
        return symbol
    name = subprocess.run(["c++filt", "-p", symbol], capture_output=True, text=True).stdout.strip()
    return name.replace("(anonymous namespace)::", "")


def find_mca():
    names = ["llvm-mca"] + [f"llvm-mca-{version}" for version in range(16, 40)]
    for name in reversed(names):
        if path := shutil.which(name):
            known = subprocess.run([path, "-mtriple=aarch64", "-mcpu=help"], input="", capture_output=True, text=True)
            if "neoverse-v2" in known.stdout + known.stderr:
                return path
    sys.exit("check_neon_loops: no llvm-mca that knows neoverse-v2 (Debian: llvm-16)")


def cycles(mca, cpu, instructions):
    """Of one iteration, in the steady state."""
    iterations = 500
    result = subprocess.run([mca, "-mtriple=aarch64", f"-mcpu={cpu}", f"-iterations={iterations}"], check=True,
                            input="\n".join(instructions) + "\n", capture_output=True, text=True)
    return int(re.search(r"Total Cycles:\s+(\d+)", result.stdout)[1]) / iterations


def multiply_limit(mca, cpu, source):
    """Multiply-adds a cycle of this model: 24 independent chains and nothing else. (LLVM 16 has two pipes for
    neoverse-v2, where later ones have the four it has; apple-m1 is modelled with three of its four.)"""
    return TILE / cycles(mca, cpu, [f"{source.multiply} {source.operands.format(i)}" for i in range(TILE)])


def check(source, assembly, mca):
    """Prints what there is to say of one file, returns whether all is well."""
    limits = {cpu: multiply_limit(mca, cpu, source) for cpu in source.cpus}
    # The masked value tile selects after each multiply-add: it runs only where values are hidden and not finite.
    loops = [loop for loop in innermost_loops(assembly)
             if len(accumulators(loop, source)) >= source.accumulators and not count(loop, r"b(sl|it|if)\b")]
    # The first tile of a linear panel also copies the weight for the rows that follow.
    loops = [loop for loop in loops if not count(loop, r"(str|stp|st1)\b.*\[(?!sp\b|x29\b)")]
    loops = [loop for loop in loops if not readable(loop.function).endswith(NOT_SHOWN)]
    print(f"{source.name}, {pathlib.Path(mca).name}: {source.multiply} a cycle at most: " +
          ", ".join(f"{cpu} {limit:.2f}" for cpu, limit in limits.items()))
    passed = sum(not any(name in loop.function for name in NOT_JUDGED) for loop in loops) >= source.loops
    if not passed:
        print(f"found {len(loops)} loops of the {TILE}-accumulator tile, expected {source.loops} of attention at least")

    def shares_of(loop):
        multiplies = count(loop, rf"{source.multiply}\b")
        return {cpu: multiplies / cycles(mca, cpu, loop.lines) / limit for cpu, limit in limits.items()}

    with concurrent.futures.ThreadPoolExecutor() as pool:
        shares_of_loops = list(pool.map(shares_of, loops))
    for loop, shares in zip(loops, shares_of_loops):
        multiplies, spills = count(loop, rf"{source.multiply}\b"), count(loop, r".*\[(sp|x29)\b")
        judged = not any(name in loop.function for name in NOT_JUDGED)
        bad = judged and (spills > 0 or any(shares[cpu] < share for cpu, share in REQUIRED.items()))
        passed = passed and not bad
        print(f"{'FAILED' if bad else 'ok' if judged else 'decode'}: {loop.label} in {readable(loop.function)}: "
              f"{multiplies} {source.multiply}, {len(loop.lines)} instructions, {spills} of them on the stack; " +
              ", ".join(f"{cpu} {share:.1%}" for cpu, share in shares.items()))
    return passed


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    build = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "build/arm64"
    mca = find_mca()
    results = [check(source, assembly_of(source, build), mca) for source in SOURCES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
