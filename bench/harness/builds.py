"""What a row needs on disk: weights, emitted programs, servers. All in build/bench."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import machine
from .machine import BENCH, ROOT, WORK
from .setup import PYTHON, last_line
from .turns import Failed

LARGE, SMALL = 100 << 20, 1 << 20


def run(command, what, **more):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        raise Failed(f"{what}: {last_line(done.stderr or done.stdout)}")


def model(name):
    return os.path.join(BENCH, "models", name + ".tfx")


def defines(defs):
    return [word for d in defs for word in ("-D", d)]


def is_fresh(path, source):
    return os.path.exists(path) and os.path.getmtime(path) >= os.path.getmtime(source)


def weights(tools, name, dtype, defs=()):
    """Random weights of a model, made once a run."""
    path = os.path.join(WORK, "-".join([name, dtype, *sorted(defs)]) + ".safetensors")
    if not is_fresh(path, model(name)):
        machine.note(f"weights of {os.path.basename(path)[:-12]}")
        typed = [] if dtype == "f32" else ["--dtype", dtype]
        run([tools.tfxc, "init", model(name), *defines(defs), *typed, "-o", path + ".part"],
            "tfxc init")
        os.replace(path + ".part", path)
    return path


def emit(tools, name, checkpoint, folder, defs=(), recipe=None, target="native"):
    os.makedirs(folder, exist_ok=True)
    more = ["--recipe", recipe] if recipe else []
    run([tools.tfxc, model(name), "--prefix", "model", "--target", target, "--weights", checkpoint,
         *defines(defs), *more, "-o", os.path.join(folder, "model.c")], "tfxc")


class Programs:
    """Emitted programs by what they were made from; rows that follow each other with the
    same share one, as the number of threads is chosen when they run."""

    def __init__(self):
        self.made, self.count = {}, 0

    def get(self, tools, name, checkpoint, defs, recipe, target):
        key = (name, checkpoint, tuple(defs), recipe, target)
        if key not in self.made:
            folder = os.path.join(WORK, "programs", f"{self.count}-{name}")
            self.count += 1
            shutil.rmtree(folder, ignore_errors=True)
            emit(tools, name, checkpoint, folder, defs, recipe, target)
            self.made[key] = folder
        return self.made[key]

    def forget(self, but=()):
        """Drops all programs but those in these folders."""
        for folder in self.made.values():
            if folder not in but:
                shutil.rmtree(folder, ignore_errors=True)
        self.made = {k: f for k, f in self.made.items() if f in but}


def server(tools, compiler, folder, output, macros):
    """Builds bench/ours.c with the program in folder; the command that starts it."""
    sources = [os.path.join(BENCH, "ours.c")]
    sources += [os.path.join(folder, n) for n in ("model.c", "tfx_rt.c")]
    if not os.path.exists(sources[2]):  # the runtime's part for the system
        sources[2] = os.path.join(ROOT, "runtime", "tfx_rt.c")
    words = [f"-DBENCH_{k}={v}" for k, v in macros.items()]
    run([*tools.compilers[compiler], *words, "-I", folder, "-I", ROOT, "-I",
         os.path.join(ROOT, "runtime"), *sources, "-o", output, "-lm", "-lpthread"], compiler)
    return [output, os.path.join(folder, "model.packed.safetensors")]


def gguf(source, form, heads, kv_heads, context):
    path = f"{source[:-12]}-{form}.gguf"
    if not is_fresh(path, source):
        machine.note(f"writing {os.path.basename(path)}")
        script = os.path.join(BENCH, "peers", "gguf_write.py")
        run([PYTHON, script, source, path + ".part", form, str(heads), str(kv_heads),
             str(context)], "gguf")
        os.replace(path + ".part", path)
    return path


GRAPHS = ("plain", "fused")


def onnx(name, checkpoint, length, form):
    """{graph: (file, None) or (None, why it cannot be made)}; both are made at once."""
    def make(graph):
        path = f"{checkpoint[:-12]}-{length}-{form}-{graph}.onnx"
        script = os.path.join(BENCH, "peers", "ort_graph.py")
        if not is_fresh(path, checkpoint):
            try:
                machine.note(f"writing {os.path.basename(path)}")
                run([PYTHON, script, name, checkpoint, str(length), form, graph, path],
                    "ort_graph.py")
            except Failed as e:
                return None, str(e)
        return path, None

    with ThreadPoolExecutor() as pool:
        return dict(zip(GRAPHS, pool.map(make, GRAPHS)))


def row_folder(row):
    folder = os.path.join(WORK, "rows", row)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def drop(folder, least):
    """Removes files of so many bytes."""
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            if os.path.getsize(path) >= least:
                os.unlink(path)


def leave(folder):
    """A row leaves its C and logs; packed weights are made anew in no time."""
    drop(folder, SMALL)


def keeps():
    return os.environ.get("BENCH_KEEP", "") not in ("", "0")


def finish(models):
    """Removes the large files of all models but these, which later rows need."""
    if keeps():
        return
    for name in os.listdir(WORK):
        path = os.path.join(WORK, name)
        ended = not any(name.startswith(m + "-") for m in models)
        if ended and os.path.isfile(path) and os.path.getsize(path) >= LARGE:
            os.unlink(path)


def clean():
    if not keeps():
        drop(WORK, LARGE)
