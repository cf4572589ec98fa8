"""Peers from packages: a virtual environment in build/bench-venv, and a few programs.

A peer that cannot be had is reported once, with what its installer said; its rows count as
missed.
"""

import os
import subprocess
import sys

from . import machine
from .machine import BENCH, ROOT, VENV, WORK, note

PYTHON = os.path.join(VENV, "bin", "python")

# What is asked of pip, by peer. Versions are those that were tried; pip may know newer ones.
PACKAGES = {
    "onnxruntime": ["onnxruntime", "onnx", "numpy", "sympy"],
    "llama.cpp": ["llama-cpp-python", "gguf", "numpy"],
    "torch": ["torch==2.13.0", "onnx", "numpy"],
    "numpy": ["numpy"],
}
LLAMA_FLAGS = ("-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF "
               "-DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_CURL=OFF")


class Tools:
    def __init__(self):
        self.tfxc = os.path.join(ROOT, "build", "tfxc")
        self.missing = {}    # peer: why it cannot be had
        self.versions = {}   # name: version
        self.compilers = {}  # "gcc": command and flags


def last_line(text):
    """What went wrong, in the words of who says so."""
    lines = [s.strip() for s in text.splitlines() if s.strip() and "WARNING" not in s]
    errors = [s for s in lines if "error" in s.lower()]
    return (errors or lines or ["no reason given"])[-1 if not errors else 0]


def installed(package):
    name = package.split("==")[0]
    got = subprocess.run([PYTHON, "-c", "import importlib.metadata as m, sys; "
                          "print(m.version(sys.argv[1]))", name], capture_output=True, text=True)
    return got.stdout.strip() if got.returncode == 0 else None


def make_venv():
    if os.path.exists(PYTHON):
        return
    note("making build/bench-venv")
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)


def pip(peer, packages):
    """None, or why the packages of a peer could not be installed."""
    wanted = [p for p in packages if not installed(p)]
    if not wanted:
        return None
    note(f"installing {' '.join(wanted)}")
    env = dict(os.environ, CMAKE_ARGS=LLAMA_FLAGS)
    log = os.path.join(WORK, f"pip-{peer}.log")
    with open(log, "w") as f:
        done = subprocess.run([PYTHON, "-m", "pip", "install", "--no-input", *wanted],
                              stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env=env)
    if done.returncode == 0:
        return None
    with open(log) as f:
        return f"pip install {' '.join(wanted)}: {last_line(f.read())}"


def peers_of(goals):
    wanted = {"numpy"}
    for g in goals:
        if g["peer"].startswith("onnxruntime"):
            wanted.add("onnxruntime")
            if g["format"] == "f32" and g["length"] == "128":
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
    for flag, option in (("avx512_vnni", "-mavx512vnni"), ("avx512_bf16", "-mavx512bf16")):
        if flag in machine.FLAGS:
            flags.append(option)
    return flags


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
            why = pip(peer, PACKAGES[peer])
        if why:
            tools.missing[peer] = why
            note(f"{peer} cannot be had: {why}")
        elif peer != "onednn":
            for package in PACKAGES[peer]:
                tools.versions[package.split("==")[0]] = installed(package)
        else:
            tools.versions["onednn"] = first_line(["pkg-config", "--modversion", "dnnl"]) or "?"
    tools.peaks = os.path.join(WORK, "peaks")
    flags = tools.compilers.get("gcc") or tools.compilers["clang"]
    why = build("peaks.c", tools.peaks, flags + ["-ffp-contract=fast"])
    if why:
        sys.exit(f"bench: peaks.c: {why}")
    return tools
