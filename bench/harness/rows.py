"""Rows of goals.tsv by kind: who takes part, what is compared, what the limit is."""

import array
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from . import builds, machine
from .builds import BENCH, WORK
from .formats import ALL, FORMATS, LAYERS, SMALLER, TOLERANCES, recipe
from .report import Result
from .setup import LLAMA, PYTHON, TORCH_ROWS
from .shapes import LLAMAS, Work, encoder_work, llama_work, vit_work
from .turns import Failed, Peak, Server, take_turns

MODELS = {"MiniLM": "minilm", "BERT-base": "bert-base", "ViT-B/16": "vit-b", "DeiT-S": "deit-s",
          "Llama-110M": "llama-110m", "Llama-1.1B": "llama-1b"}
SINGLE = {"gemm": "gemm", "gemv": "gemm", "sparse": "gemm", "lowrank": "gemm",
          "attn": "attention", "tfxc": "bert-base"}  # models of rows by kind
STEPS = {"llama-110m": 32, "llama-1b": 16}  # tokens of a decode row
PROGRAMS = builds.Programs()
VERIFIED = {}                    # what `tfxc verify` has said in this run, by its words


def model_of(goal):
    """The file in bench/models that a row is about."""
    return SINGLE.get(goal["id"].partition("-")[0]) or MODELS[goal["model"]]


class Case:
    """A row being prepared."""

    def __init__(self, goal, tools):
        self.goal, self.tools = goal, tools
        self.threads = goal["threads"]
        self.form = FORMATS[goal["format"]]
        self.folder = builds.row_folder(goal["id"])
        self.ours, self.peers, self.info = [], [], []
        self.expected = None     # file of what must come out; None: what the first peer gives
        self.tolerance = TOLERANCES.get(goal["peer"], TOLERANCES["f32"])
        self.per = 1             # divides times
        self.fair = 1            # divides the ratio
        self.work = Work()
        self.programs = set()    # folders in use
        self.peaks = Server("peaks", [tools.peaks, str(self.threads)], self.threads, self.folder)

    def compilers(self):
        one = self.goal["compiler"]
        found = [c for c in self.tools.compilers if one in ("best", c)]
        if not found:
            raise Failed(f"no {one}")
        return found

    def add_ours(self, checkpoint, name, macros, defs=(), steps=None, to=None, label="",
                 target="native"):
        """Emits a program, and builds it with each compiler of the row at once."""
        folder = PROGRAMS.get(self.tools, name, checkpoint, defs, steps, target)
        self.programs.add(folder)
        PROGRAMS.forget(self.programs)

        def build(c):
            output = os.path.join(self.folder, f"ours-{label or c}-{c}".replace(" ", "-"))
            return c, builds.server(self.tools, c, folder, output, macros)

        with ThreadPoolExecutor() as pool:
            for c, command in pool.map(build, self.compilers()):
                server = Server(f"{label} {c}".strip(), [*command, str(self.threads)],
                                self.threads, self.folder)
                (self.ours if to is None else to).append(server)

    def add(self, to, name, script, *words, env=None):
        command = [PYTHON, os.path.join(BENCH, "peers", script), *map(str, words)]
        to.append(Server(name, command, self.threads, self.folder, env))

    def reference(self, *words):
        self.expected = os.path.join(self.folder, "expected.bin")
        builds.run([PYTHON, os.path.join(BENCH, "peers", "reference.py"), words[0], self.expected,
                    *map(str, words[1:])], "reference")

    def verify(self, checkpoint, name, defs, steps):
        """Holds what tfxc emits against its evaluator in double; once a run."""
        words = [builds.model(name), "--weights", checkpoint, *builds.defines(defs)]
        words += ["--recipe", steps] if steps else []
        key = " ".join(words)
        if key not in VERIFIED:
            machine.note(f"tfxc verify {name} {steps or ''}")
            command = self.tools.compilers[self.compilers()[0]]
            env = dict(os.environ, CC=" ".join(command))
            try:
                VERIFIED[key] = builds.run([self.tools.tfxc, "verify", *words], "tfxc verify",
                                           env=env)
            except Failed as e:
                VERIFIED[key] = str(e)
        if VERIFIED[key]:
            raise Failed(VERIFIED[key])

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
    case.work.scale(case.form)
    wide, steps = case.work.hidden, recipe(g["format"], LAYERS)
    out = 1000 if vision else wide if name == "minilm" else wide * length
    macros = {"CLASSIFY" if vision else "ENCODE": 1, "LENGTH": length, "VOCAB": 30522,
              "IN": 3 * 224 * 224 if vision else 1, "OUT": out}
    if steps:
        case.verify(checkpoint, name, ["T<=16"], steps)
    graphs = builds.onnx(name, checkpoint, length, g["format"])
    for graph, (path, why) in graphs.items():
        if why:  # a graph that cannot be made is left out, aloud
            machine.note(f"{g['id']}: the {graph} graph: {why}")
        else:
            case.add(case.peers, f"ort {graph}", "ort.py", name, path, length, case.threads)
    if not case.peers:
        raise Failed(f"no graph of ONNX Runtime could be made: {graphs['plain'][1]}")
    case.add_ours(checkpoint, name, macros, [] if vision else [f"T={length}"], steps)
    if g["id"] in TORCH_ROWS and "torch" not in case.tools.missing:
        for mode in ("eager", "sdpa", "compile"):
            case.add(case.info, f"torch {mode}", "torch_eager.py", name, checkpoint, length,
                     mode, case.threads)


def llama(case):
    g = case.goal
    name, decode = MODELS[g["model"]], g["id"].startswith("dec-")
    s, steps = LLAMAS[name], recipe(g["format"], ALL)
    length, count = (STEPS[name],) * 2 if decode else (int(g["length"]), 0)
    form = g["peer"].partition("-")[2] or g["format"]
    size = 8 if s["dim"] > 1000 else 1  # GB, about
    if machine.room_gb(WORK) < 2 * size or machine.memory_gb() < 1.5 * size:
        raise Failed(f"needs {2 * size} GB of disk and {1.5 * size:.0f} GB of memory")
    checkpoint = builds.weights(case.tools, name, case.form.stored)
    source = checkpoint
    if form != case.form.stored and case.form.stored != "f32":
        source = builds.weights(case.tools, name, "f32")
    if steps and size == 1:  # the large one has the same operations
        case.verify(checkpoint, name, ["context=16"], steps)
    macros = {"DECODE": 1, "LENGTH": length, "STEPS": count, "VOCAB": s["vocab"], "IN": 1,
              "OUT": s["vocab"]}
    case.work = llama_work(name, case.form, 1 if decode else length)
    case.per = max(1, count)
    path = builds.gguf(source, form, s["heads"], s["kv_heads"], s["context"])
    for flash in (0, 1):
        case.add(case.peers, f"llama.cpp fa{flash}", "llamacpp.py", path, length, count,
                 case.threads, flash, env={"PYTHONPATH": LLAMA})
    case.add_ours(checkpoint, name, macros, (), steps)


def gemm(case):
    g = case.goal
    k, n = map(int, g["model"].split("x"))
    product(case, int(g["length"]), n, k)
    case.peers.append(Server("oneDNN", [case.tools.onednn, case.checkpoint,
                                        *map(str, (int(g["length"]), n, k))],
                             case.threads, case.folder))


def gemv(case):
    g = case.goal
    k = 4096
    n = int(600 * 10**6 / (k * case.form.bytes)) // 48 * 48  # whole panels
    product(case, 1, n, k, recipe(g["format"], ALL), "f32" if g["format"] == "f32" else "bf16")
    if g["format"] == "int8":
        case.tolerance = TOLERANCES["gemv-int8"]
    case.reference("gemm", case.checkpoint, 1, n, k)
    case.peers.append(Peak("DRAM read", case.peaks, "dram", case.work.bytes))


def smaller(case):
    """A low-rank or sparse product beside our own dense one of the same shape. The targets of
    sparse ones are gains over our dense 8x48 tile, so both go by FMA; by tiles of AMX, where
    there are some, for information."""
    g = case.goal
    steps, less = SMALLER[g["id"]]
    k, n = map(int, g["model"].partition(",")[0].split("x"))
    shape, sparse = (case, int(g["length"]), n, k), g["id"].startswith("sparse-")
    target = "portable" if sparse else "native"
    product(*shape, steps, target=target)
    case.verify(case.checkpoint, "gemm", case.defs, steps)
    product(*shape, to=case.peers, label="dense", target=target)
    if sparse and "amx_bf16" in machine.FLAGS:
        product(*shape, steps, to=case.info, label="sparse by tiles")
        product(*shape, to=case.info, label="dense by tiles")
    case.work.linear /= less
    case.work.bytes /= less
    if g["peer"] == "mac-ratio":
        case.fair = less
    case.expected = os.path.join(case.folder, "expected.bin")
    case.ours[0].check(case.expected)  # has been verified; the compilers must agree


def product(case, m, n, k, steps=None, stored="f32", to=None, label="", target="native"):
    """One product of rows with weights."""
    sizes = [f"k={k}", f"n={n}"]
    case.checkpoint = builds.weights(case.tools, "gemm", stored, sizes)
    case.defs = [*sizes, f"T={m}"]
    case.work = Work(2 * m * n * k, 0, n * k)
    case.work.scale(case.form)
    case.add_ours(case.checkpoint, "gemm",
                  {"APPLY": 1, "LENGTH": m, "VOCAB": 1, "IN": m * k, "OUT": m * n},
                  case.defs, steps, to, label, target)


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
         ("gemv-", gemv), ("attn-", attention), ("sparse-", smaller), ("lowrank-", smaller))


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
    if case.goal["id"] in SMALLER:  # another function than the dense one
        others = [*case.ours, *(s for s in case.info if s.name.startswith("sparse"))]
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
    os.sync()  # files on their way to the disk would be felt
    words = sorted({"fma", "dram", *case.work.unit})
    medians, samples = take_turns([*case.ours, *case.peers, *case.info], case.peaks, words)
    r.ours_name, r.peer_name = best(medians, case.ours), best(medians, case.peers)
    ours, peer = medians[r.ours_name], medians[r.peer_name]
    r.ratios = [b / a / case.fair for a, b in zip(ours, peer)]
    r.value = statistics.median(r.ratios)
    scale = 1e-6 / case.per
    r.ours, r.peer = statistics.median(ours) * scale, statistics.median(peer) * scale
    r.peaks = {w: [s[w] for s in samples] for w in words}
    r.limit = case.work.least_ns(r.peaks) * 1e-6 / r.ours
    for group in (case.ours, case.peers, case.info):
        for p in group:
            if p.name not in (r.ours_name, r.peer_name):
                r.info.append((p.name, statistics.median(medians[p.name]) * scale))
    return r


def reason(goal, tools):
    """(status, why) of a row that cannot be measured; None when it can."""
    form = FORMATS.get(goal["format"])
    if not form or not form.built:
        return "not built", "tfxc has no such format yet"
    if form.feature and form.feature not in machine.FLAGS:
        return "n/a", f"no {form.feature} here"
    if machine.pin(goal["threads"]) is None:
        return "n/a", f"fewer than {goal['threads']} cores"
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
    except OSError as e:
        return Result(goal, "failed", str(e))
    finally:
        if case:
            case.close()
