"""The table: goals.tsv in, lines and bench/RESULTS.md out."""

import os
import statistics
import subprocess
import time

from . import machine
from .machine import BENCH, ROOT


def goals():
    with open(os.path.join(BENCH, "goals.tsv")) as f:
        lines = [s.rstrip("\n").split("\t") for s in f if s.strip() and not s.startswith("#")]
    rows = [dict(zip(lines[0], s)) for s in lines[1:]]
    for r in rows:
        r["least"], r["goal"], r["threads"] = float(r["least"]), float(r["goal"]), int(r["threads"])
    return rows


class Result:
    """One row: status is measured, failed, not built or n/a, why says more."""

    def __init__(self, goal, status, why=""):
        self.goal, self.status, self.why = goal, status, why
        self.ours = self.peer = self.ours_name = self.peer_name = None
        self.value = None        # ratio, or seconds
        self.ratios = []         # one a pass
        self.limit = None        # fraction of the limit
        self.error = None        # largest, relative to the largest value
        self.info = []           # (name, ms) of others that took part
        self.peaks = {}          # word: values

    def counts(self):
        return self.status != "n/a"

    def meets(self, what):
        if self.status != "measured":
            return False
        bound = self.goal[what]
        return self.value <= bound if self.goal["peer"] == "seconds" else self.value >= bound


def verdict(r):
    return "goal" if r.meets("goal") else "least" if r.meets("least") else "MISSED"


HEAD = ("row", "ours ms", "by", "peer ms", "peer", "ratio", "least", "goal", "limit", "")
FORM = "{:<24}{:>9} {:<6}{:>9} {:<18}{:>7}{:>7}{:>6}{:>7}  {}"


def cells(r):
    g = r.goal
    if r.status != "measured":
        why = f"{r.status}: {r.why}" if r.why else r.status
        return (g["id"], "", "", "", g["peer"], "", g["least"], g["goal"], "", why)
    if g["peer"] == "seconds":
        return (g["id"], f"{r.value * 1e3:.0f}", "", "", "seconds", f"{r.value:.2f}",
                g["least"], g["goal"], "", verdict(r))
    return (g["id"], f"{r.ours:.3f}", r.ours_name, f"{r.peer:.3f}", r.peer_name,
            f"{r.value:.2f}", g["least"], g["goal"],
            f"{r.limit * 100:.0f} %" if r.limit else "", verdict(r))


def head():
    kind = " (quick: these are no measurements)" if machine.QUICK else ""
    print(FORM.format(*HEAD).rstrip() + kind, flush=True)


def line(r):
    print(FORM.format(*map(str, cells(r))).rstrip(), flush=True)
    if r.ratios and len(r.ratios) > 1:
        spread = " ".join(f"{x:.2f}" for x in r.ratios)
        machine.note(f"{r.goal['id']}: ratios by pass {spread}; largest error {r.error:.1e}")
    elif r.error is not None:
        machine.note(f"{r.goal['id']}: largest error {r.error:.1e}")
    for name, ms in r.info:
        machine.note(f"{r.goal['id']}: {name} {ms:.3f} ms")


def summary(done):
    counted = [r for r in done if r.counts()]
    least, goal = (sum(r.meets(w) for r in counted) for w in ("least", "goal"))
    return (f"least: {least} of {len(counted)} met; goal: {goal} of {len(counted)} met",
            least == len(counted))


def total(done):
    text, ok = summary(done)
    print(text, flush=True)
    return ok


def peaks_table(done):
    units = {"fma": ("f32 FMA", "GF/s"), "vnni": ("u8 x s8 VNNI", "GOP/s"),
             "bf16": ("bf16 dot", "GF/s"), "amx8": ("AMX int8", "GOP/s"),
             "amx16": ("AMX bf16", "GF/s"), "dram": ("DRAM read", "GB/s")}
    lines = ["| limit | threads | median | least | most |", "|---|---|---|---|---|"]
    for word, (name, unit) in units.items():
        for threads in (1, 2):
            got = [v for r in done if r.goal["threads"] == threads for v in r.peaks.get(word, [])]
            if got and max(got) > 0:
                lines.append(f"| {name}, {unit} | {threads} | {statistics.median(got):.0f} | "
                             f"{min(got):.0f} | {max(got):.0f} |")
    return lines


def git_version():
    got = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"],
                         capture_output=True, text=True)
    return got.stdout.strip() or "unknown"


def write(done, tools):
    out = ["# Results", "", "Written by `./dev bench`; what the columns mean is in "
           "[README.md](README.md).", "", summary(done)[0] + ".", "",
           "| | |", "|---|---|", "| command | `./dev bench` |",
           f"| date | {time.strftime('%Y-%m-%d')} |", f"| commit | {git_version()} |"]
    out += [f"| {k} | {v} |" for k, v in machine.description()]
    out += [f"| {k} | {v} |" for k, v in sorted(tools.versions.items())]
    out += [f"| {k} | could not be had: {v} |" for k, v in sorted(tools.missing.items())]
    out += ["", "Limits, sampled between the measurements of each row:", "", *peaks_table(done)]
    out += ["", "| " + " | ".join(HEAD[:-1]) + " | verdict |", "|" + "---|" * len(HEAD)]
    out += ["| " + " | ".join(str(c) for c in cells(r)) + " |" for r in done]
    info = [(r.goal["id"], name, ms) for r in done for name, ms in r.info]
    if info:
        out += ["", "For information, in the same turns:", "", "| row | program | ms |",
                "|---|---|---|"]
        out += [f"| {i} | {n} | {ms:.3f} |" for i, n, ms in info]
    with open(os.path.join(BENCH, "RESULTS.md"), "w") as f:
        f.write("\n".join(out) + "\n")
    machine.note("wrote bench/RESULTS.md")
