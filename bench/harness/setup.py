"""Peers from packages: a virtual environment in build/bench-venv, and a few programs.

A peer that cannot be had is reported once, with what its installer said; its rows count as
missed.
"""

import os
import shutil
import subprocess
import sys

from . import machine
from .machine import BENCH, ROOT, VENV, WORK, note

PYTHON = os.path.join(VENV, "bin", "python")

# What is asked of pip, by peer. Versions are those that were tried; pip may know newer ones. ONNX
# Runtime 1.32.0 is as fast as this in f32, and takes 1.6 times as long in int8 with one thread.
PACKAGES = {
    "onnxruntime": ["onnxruntime==1.31.1", "onnx", "numpy", "sympy"],
    "llama.cpp": ["gguf", "numpy", "jinja2", "diskcache", "typing_extensions"],
    "torch": ["torch==2.13.0", "onnx", "numpy"],
    "numpy": ["numpy"],
}
# llama.cpp is compiled for this processor into a folder of its own, anew when the flags
# change. Without the two last ones gcc before 12.4 drops the stores that make its tile
# configuration, as its _tile_loadconfig names only the first bytes of it: a crash with AMX.
LLAMA, LLAMA_FLAGS = os.path.join(ROOT, "build", "bench-llama"), (
    "-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF "
    "-DLLAMA_BUILD_TESTS=OFF -DLLAMA_CURL=OFF '-DCMAKE_CXX_FLAGS=-fno-tree-dse -fno-dse'")
TORCH_ROWS = ("enc-f32-minilm-128-1", "enc-f32-minilm-128-2")  # for information
# The compiler's options by the processor's features, where -march=native does not do.
OPTIONS = (("avx512_vnni", "-mavx512vnni"), ("avx512_bf16", "-mavx512bf16"),
           ("avx512_fp16", "-mavx512fp16"), ("avx_vnni", "-mavxvnni"), ("amx_tile", "-mamx-tile"),
           ("amx_int8", "-mamx-int8"), ("amx_bf16", "-mamx-bf16"))


class Tools:
    def __init__(self):
        self.tfxc = os.path.join(ROOT, "build", "tfxc")
        self.missing = {}    # peer: why it cannot be had
        self.versions = {}   # name: version
        self.compilers = {}  # "gcc": command and flags


def last_line(text):
    """What went wrong, in the words of who says so."""
    lines = [s.strip() for s in text.splitlines() if s.strip() and "WARNING" not in s]
    if "Traceback (most recent call last):" in lines:
        return lines[-1]
    errors = [s for s in lines if "error" in s.lower()]
    return (errors or lines or ["no reason given"])[-1 if not errors else 0]


def text_of(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def installed(package):
    name = package.split("==")[0]
    got = subprocess.run([PYTHON, "-c", "import importlib.metadata as m, sys; "
                          "print(m.version(sys.argv[1]))", name], capture_output=True, text=True,
                         env=dict(os.environ, PYTHONPATH=LLAMA))
    return got.stdout.strip() if got.returncode == 0 else None


def make_venv():
    if os.path.exists(PYTHON):
        return
    note("making build/bench-venv")
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)


def pip(peer, packages, *how, env=None):
    """None, or why these packages could not be installed."""
    if not packages:
        return None
    note(f"installing {' '.join(packages)}")
    log = os.path.join(WORK, f"pip-{peer}.log")
    with open(log, "w") as f:
        done = subprocess.run([PYTHON, "-m", "pip", "install", "--no-input", *how, *packages],
                              stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env=env)
    if done.returncode != 0:
        return f"pip install {' '.join(packages)}: {last_line(text_of(log))}"
    return None


def install(peer):
    """None, or why a peer cannot be had."""
    why = pip(peer, [p for p in PACKAGES[peer] if not installed(p)])
    flags = os.path.join(LLAMA, "flags")
    if why or peer != "llama.cpp" or text_of(flags) == LLAMA_FLAGS:
        return why
    note("llama.cpp is compiled: some minutes")
    shutil.rmtree(LLAMA, ignore_errors=True)
    why = pip("llama-cpp-python", ["llama-cpp-python"], "--no-deps", "--no-cache-dir",
              "--no-binary", "llama-cpp-python", "--target", LLAMA,
              env=dict(os.environ, CMAKE_ARGS=LLAMA_FLAGS))
    if not why:
        with open(flags, "w") as f:
            f.write(LLAMA_FLAGS)
    return why


def peers_of(goals):
    wanted = {"numpy"}
    for g in goals:
        if g["peer"].startswith("onnxruntime"):
            wanted.add("onnxruntime")
            if g["id"] in TORCH_ROWS:
                wanted.add("torch")
        elif g["peer"].startswith("llama.cpp"):
            wanted.add("llama.cpp")
        elif g["peer"].startswith("onednn"):
            wanted.add("onednn")
    return wanted


def build(source, output, command):
    """Compiles one C file of bench/; None, or what the compiler said."""
    done = subprocess.run(command + ["-I", ROOT, "-o", output, os.path.join(BENCH, source)]
                          + (["-ldnnl"] if "onednn" in source else []) + ["-lpthread"],
                          capture_output=True, text=True)
    return None if done.returncode == 0 else last_line(done.stderr)


def macros(command):
    done = subprocess.run(command + ["-dM", "-E", "-x", "c", os.devnull],
                          capture_output=True, text=True)
    return done.stdout if done.returncode == 0 and "warning" not in done.stderr else ""


def native(command):
    """The flags for this processor. clang 19 does not know some and says so a hundred
    times; it gets the level and the features one by one."""
    if "avx512f" not in machine.FLAGS or "__AVX512F__" in macros(command + ["-march=native"]):
        return ["-march=native"]
    flags = ["-march=x86-64-v4"]
    return flags + [option for flag, option in OPTIONS if flag in machine.FLAGS]


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else None


def find_compilers(tools):
    for name, candidates in (("gcc", ["gcc"]), ("clang", ["clang-19", "clang"])):
        for program in candidates:
            try:
                version = first_line([program, "--version"])
            except FileNotFoundError:
                continue
            if version:
                tools.versions[name] = version
                tools.compilers[name] = [program, "-std=c11", "-O3", *native([program])]
                break


def prepare(goals):
    tools = Tools()
    os.makedirs(WORK, exist_ok=True)
    find_compilers(tools)
    if not tools.compilers:
        sys.exit("bench: no C compiler")
    tools.versions["tfxc"] = first_line([tools.tfxc, "--version"]) or "?"
    make_venv()
    for peer in sorted(peers_of(goals)):
        if peer == "onednn":
            tools.onednn = os.path.join(WORK, "onednn")
            compiler = [next(iter(tools.compilers.values()))[0], "-std=c11", "-O2"]
            why = build("peers/onednn.c", tools.onednn, compiler)
        else:
            why = install(peer)
        if why:
            tools.missing[peer] = why
            note(f"{peer} cannot be had: {why}")
        elif peer != "onednn":
            own = ["llama-cpp-python"] if peer == "llama.cpp" else []
            for package in [*own, *PACKAGES[peer]]:
                tools.versions[package.split("==")[0]] = installed(package)
        else:
            query = ["dpkg-query", "-W", "-f=${Version}", "libdnnl-dev"]
            tools.versions["onednn"] = first_line(query) or "?"
    tools.peaks = os.path.join(WORK, "peaks")
    flags = tools.compilers.get("gcc") or tools.compilers["clang"]
    why = build("peaks.c", tools.peaks, flags + ["-ffp-contract=fast"])
    if why:
        sys.exit(f"bench: peaks.c: {why}")
    return tools
