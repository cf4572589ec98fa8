"""Rows of goals.tsv by kind: who takes part, what is compared, what the limit is."""

import array
import os
import statistics
import time

from . import builds, machine
from .builds import BENCH, WORK
from .report import Result
from .setup import PYTHON
from .shapes import LLAMAS, Work, encoder_work, llama_work, vit_work
from .turns import Failed, Peak, Server, take_turns

MODELS = {"MiniLM": "minilm", "BERT-base": "bert-base", "ViT-B/16": "vit-b", "DeiT-S": "deit-s",
          "Llama-110M": "llama-110m", "Llama-1.1B": "llama-1b"}
# Formats the compiler has, with the options that ask for them beside the type of the
# checkpoint; rows of others print "not built".
FORMATS = {"f32": [], "bf16": [], "f16": []}
NEEDS = {"int8": "avx512_vnni", "int8-row": "avx512_vnni", "int8-group32": "avx512_vnni",
         "int4-group32": "avx512_vnni", "bf16-compute": "avx512_bf16"}
STEPS = 64                       # tokens of a decode row
WORDS = ("fma", "vnni", "bf16", "dram")


class Case:
    """A row being prepared."""

    def __init__(self, goal, tools):
        self.goal, self.tools = goal, tools
        self.threads = goal["threads"]
        self.folder = builds.row_folder(goal["id"])
        self.ours, self.peers, self.info = [], [], []
        self.expected = None     # file of what must come out; None: what the first peer gives
        self.tolerance = 2e-4    # of the largest value
        self.per = 1             # divides times
        self.work = Work()
        self.peaks = Server("peaks", [tools.peaks, str(self.threads)], self.threads, self.folder)

    def compilers(self):
        one = self.goal["compiler"]
        found = [c for c in self.tools.compilers if one in ("best", c)]
        if not found:
            raise Failed(f"no {one}")
        return found

    def add_ours(self, checkpoint, name, macros, defs=()):
        builds.emit(self.tools, name, checkpoint, self.folder, defs, FORMATS[self.goal["format"]])
        for c in self.compilers():
            command = builds.server(self.tools, c, self.folder, macros)
            self.ours.append(Server(c, [*command, str(self.threads)], self.threads, self.folder))

    def add(self, to, name, script, *words, env=None):
        command = [PYTHON, os.path.join(BENCH, "peers", script), *map(str, words)]
        to.append(Server(name, command, self.threads, self.folder, env))

    def reference(self, *words):
        self.expected = os.path.join(self.folder, "expected.bin")
        builds.run([PYTHON, os.path.join(BENCH, "peers", "reference.py"), words[0], self.expected,
                    *map(str, words[1:])], "reference")

    def close(self):
        for s in [*self.ours, *self.peers, *self.info, self.peaks]:
            s.close()
        builds.leave(self.folder)


# ---- kinds -------------------------------------------------------------------------------


def encoder(case):
    g = case.goal
    name, length = MODELS[g["model"]], int(g["length"])
    checkpoint = builds.weights(case.tools, name, "f32")
    vision = name in ("vit-b", "deit-s")
    case.work = vit_work(name) if vision else encoder_work(name, length)
    if g["format"] == "int8":
        case.work.unit, case.work.bytes = "vnni", case.work.bytes / 4
        case.tolerance = 0.1  # the peer's scale is a tensor's, ours a token's
    wide = case.work.hidden
    out = 1000 if vision else wide if name == "minilm" else wide * length
    macros = {"CLASSIFY" if vision else "ENCODE": 1, "LENGTH": length, "VOCAB": 30522,
              "IN": 3 * 224 * 224 if vision else 1, "OUT": out}
    case.add_ours(checkpoint, name, macros, [] if vision else [f"T={length}"])
    for graph in ("plain", "fused"):
        try:
            case.add(case.peers, f"ort {graph}", "ort.py", name, checkpoint, length, g["format"],
                     graph, case.threads, WORK)
        except Failed as e:  # a graph that cannot be made is left out, aloud
            machine.note(f"{g['id']}: {e}")
    if not case.peers:
        raise Failed("neither graph of ONNX Runtime could be made")
    if not vision and length == 128 and "torch" not in case.tools.missing:
        for mode in ("eager", "sdpa", "compile"):
            try:
                case.add(case.info, f"torch {mode}", "torch_eager.py", name, checkpoint, length,
                         mode, case.threads)
            except Failed as e:
                machine.note(f"{g['id']}: {e}")


def llama(case):
    g = case.goal
    name, decode = MODELS[g["model"]], g["id"].startswith("dec-")
    s = LLAMAS[name]
    length, steps = (STEPS, STEPS) if decode else (int(g["length"]), 0)
    form = g["peer"].partition("-")[2] or g["format"]
    size = 8 if s["dim"] > 1000 else 1  # GB, about
    if machine.room_gb(WORK) < 2 * size or machine.memory_gb() < 1.5 * size:
        raise Failed("too little room on disk or in memory")
    stored = g["format"] if g["format"] in ("f16", "bf16") else "f32"
    checkpoint = builds.weights(case.tools, name, stored)
    macros = {"DECODE": 1, "LENGTH": length, "STEPS": steps, "VOCAB": s["vocab"], "IN": 1,
              "OUT": s["vocab"]}
    case.work = llama_work(name, g["format"], 1 if decode else length)
    case.per = max(1, steps)
    # llama.cpp keeps its cache in f16 and rounds activations, to f16 or by blocks to int8.
    case.tolerance = 2e-2 if form in ("f32", "f16") else 0.2
    case.add_ours(checkpoint, name, macros)
    path = builds.gguf(checkpoint, form, s["heads"], s["kv_heads"], s["context"])
    for flash in (0, 1):
        case.add(case.peers, f"llama.cpp fa{flash}", "llamacpp.py", path, length, steps,
                 case.threads, flash)


def gemm(case):
    g = case.goal
    k, n = map(int, g["model"].split("x"))
    rows(case, int(g["length"]), n, k, "f32")
    case.peers.append(Server("oneDNN", [case.tools.onednn, case.checkpoint,
                                        *map(str, (int(g["length"]), n, k))],
                             case.threads, case.folder))


def gemv(case):
    g = case.goal
    size = {"f32": 4, "bf16": 2}[g["format"]]
    k = 4096
    n = 600 * 10**6 // (k * size) // 48 * 48  # whole panels
    rows(case, 1, n, k, g["format"])
    case.reference("gemm", case.checkpoint, 1, n, k)
    case.peers.append(Peak("DRAM read", case.peaks, "dram", case.work.bytes))


def rows(case, m, n, k, dtype):
    """One product of rows with weights, for gemm and gemv."""
    defs = [f"k={k}", f"n={n}"]
    case.checkpoint = builds.weights(case.tools, "gemm", dtype, defs)
    case.work = Work(linear=2 * m * n * k, bytes=n * k * (4 if dtype == "f32" else 2))
    case.add_ours(case.checkpoint, "gemm",
                  {"APPLY": 1, "LENGTH": m, "VOCAB": 1, "IN": m * k, "OUT": m * n},
                  [*defs, f"T={m}"])


def attention(case):
    heads, length, head = 12, int(case.goal["length"]), 64
    checkpoint = builds.weights(case.tools, "attention", "f32")
    n = heads * length * head
    case.work = Work(attention=4 * n * length)
    case.add_ours(checkpoint, "attention",
                  {"ATTEND": 1, "LENGTH": length, "VOCAB": 1, "IN": 3 * n, "OUT": n},
                  [f"T={length}"])
    case.reference("attention", heads, length, head)
    case.peers.append(Peak("FMA peak", case.peaks, "fma", case.work.attention))


def compile_time(goal, tools):
    """Wall seconds of tfxc itself, the best of three, with a warm cache."""
    r = Result(goal, "measured")
    checkpoint = builds.weights(tools, "bert-base", "f32")
    folder = builds.row_folder(goal["id"])
    took = []
    for _ in range(1 if machine.QUICK else 3):
        os.sync()
        start = time.monotonic()
        builds.emit(tools, "bert-base", checkpoint, folder)
        took.append(time.monotonic() - start)
    builds.leave(folder)
    r.value = min(took)
    return r


KINDS = (("enc-", encoder), ("vit-", encoder), ("pre-", llama), ("dec-", llama), ("gemm-", gemm),
         ("gemv-", gemv), ("attn-", attention))


# ---- one row -----------------------------------------------------------------------------


def read(path):
    x = array.array("f")
    with open(path, "rb") as f:
        x.frombytes(f.read())
    return x


def compare(case):
    """Every program's result against the expected one; the largest error of ours."""
    out = os.path.join(case.folder, "result.bin")
    reference, others = case.expected, [*case.ours, *case.peers, *case.info]
    if not reference:
        reference = os.path.join(case.folder, "expected.bin")
        case.peers[0].check(reference)
    want, largest = read(reference), 0
    top = max(map(abs, want))
    for s in others:
        if isinstance(s, Peak) or (s is case.peers[0] and not case.expected):
            continue
        s.check(out)
        got = read(out)
        if len(got) != len(want):
            raise Failed(f"{s.name} gives {len(got)} values, not {len(want)}")
        error = max(abs(a - b) for a, b in zip(got, want)) / top
        if not error <= case.tolerance:  # NaN too
            raise Failed(f"{s.name} differs by {error:.1e} of the largest value")
        largest = max(largest, error if s in case.ours else 0)
    return largest


def best(medians, players):
    return min((p.name for p in players), key=lambda n: statistics.median(medians[n]))


def time_row(case):
    r = Result(case.goal, "measured")
    r.error = compare(case)
    medians, samples = take_turns([*case.ours, *case.peers, *case.info], case.peaks, WORDS)
    r.ours_name, r.peer_name = best(medians, case.ours), best(medians, case.peers)
    ours, peer = medians[r.ours_name], medians[r.peer_name]
    r.ratios = [b / a for a, b in zip(ours, peer)]
    r.value = statistics.median(r.ratios)
    scale = 1e-6 / case.per
    r.ours, r.peer = statistics.median(ours) * scale, statistics.median(peer) * scale
    r.peaks = {w: [s[w] for s in samples] for w in WORDS}
    r.limit = case.work.least_ns(r.peaks) * 1e-6 / r.ours
    for group in (case.ours, case.peers, case.info):
        for p in group:
            if p.name not in (r.ours_name, r.peer_name):
                r.info.append((p.name, statistics.median(medians[p.name]) * scale))
    return r


def reason(goal, tools):
    """(status, why) of a row that cannot be measured; None when it can."""
    need = NEEDS.get(goal["format"])
    if need and need not in machine.FLAGS:
        return "n/a", f"no {need} here"
    if machine.pin(goal["threads"]) is None:
        return "n/a", f"fewer than {goal['threads']} cores"
    if goal["format"] not in FORMATS or goal["id"].startswith(("sparse-", "lowrank-")):
        return "not built", ""
    peer = {"onednn-packed": "onednn"}.get(goal["peer"], goal["peer"].split("-")[0])
    if peer in tools.missing:
        return "failed", "no peer: " + tools.missing[peer]  # counts: a row is not met unseen
    return None


def measure(goal, tools):
    status = reason(goal, tools)
    if status:
        return Result(goal, *status)
    case = None
    try:
        if goal["peer"] == "seconds":
            return compile_time(goal, tools)
        kind = next((k for prefix, k in KINDS if goal["id"].startswith(prefix)), None)
        if not kind:
            return Result(goal, "failed", "no such kind of row")
        case = Case(goal, tools)
        kind(case)
        return time_row(case)
    except Failed as e:
        return Result(goal, "failed", str(e))
    finally:
        if case:
            case.close()
