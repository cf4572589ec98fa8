"""Programs that answer, and how they take turns.

All that take part in a row stay alive through it. In each of three passes they run in
turn, A B C A B C, each for about a quarter of a second; a figure is the median of a pass,
and the row's the median of the passes. Peaks are sampled before and after each pass.
"""

import os
import select
import statistics
import subprocess
import time

from . import machine

PASSES, ROUNDS, SLICE_NS, BUDGET_NS = 3, 9, 0.25e9, 30e9  # a pass: rounds within a budget


class Failed(Exception):
    """A program died or said something else than it should; the text is for the table."""


class Server:
    def __init__(self, name, command, threads, folder, env=None):
        self.name = name
        self.log = os.path.join(folder, f"{name.replace(' ', '-')}.log")
        processors = machine.pin(threads)
        everything = dict(os.environ, OMP_NUM_THREADS=str(threads), **(env or {}))
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=everything, preexec_fn=lambda: os.sched_setaffinity(0, processors))
        self.expect("ready", 900)

    def failed(self, what):
        with open(self.log) as f:
            said = [s for s in f.read().splitlines() if s.strip()]
        raise Failed(f"{self.name} {what}: {said[-1] if said else 'no word of why'}")

    def line(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            self.failed("did not answer in time")
        answer = self.process.stdout.readline().strip()
        if not answer:
            self.failed("died")
        return answer

    def expect(self, word, seconds=300):
        while (got := self.line(seconds)) != word:
            if word != "ready":
                self.failed(f"said {got!r}")

    def ask(self, text):
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.failed("died")

    def check(self, path):
        self.ask(f"check {path}")
        self.expect("ok")

    def run(self, times):
        self.ask(f"run {times}")
        return float(self.line(600))

    def number(self, word):
        self.ask(word)
        return float(self.line(60))

    def close(self):
        if self.process.poll() is None:
            try:
                self.ask("quit")
                self.process.wait(20)
            except (Failed, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Peak:
    """Takes part like a program: the time that `amount` takes at a peak just sampled."""

    def __init__(self, name, server, word, amount):
        self.name, self.server, self.word, self.amount = name, server, word, amount

    def run(self, times):
        del times
        return self.amount / max(self.server.number(self.word), 1e-9)

    def close(self):
        pass


def sample(server, words):
    """The better of two samples of each peak."""
    return {w: max(server.number(w) for _ in range(1 if machine.QUICK else 2)) for w in words}


def plan(players):
    """How often each runs in its turn, and how many rounds fit in a pass."""
    times, total = {}, 0
    for p in players:
        took = p.run(1) if machine.QUICK else min(p.run(1), p.run(2))
        times[p] = 1 if machine.QUICK else max(1, min(100000, int(SLICE_NS / took)))
        total += took * times[p]
    rounds = 1 if machine.QUICK else int(max(2, min(ROUNDS, BUDGET_NS / total)))
    return times, rounds


def take_turns(players, peaks, words):
    """(medians by name: one a pass, samples of the peaks: one before and after each)."""
    times, rounds = plan(players)
    medians = {p.name: [] for p in players}
    samples = []
    for _ in range(1 if machine.QUICK else PASSES):
        samples.append(sample(peaks, words))
        got = {p.name: [] for p in players}
        for _ in range(rounds):
            for p in players:
                time.sleep(0.02)  # threads of the one before go to sleep
                got[p.name].append(p.run(times[p]))
        for name, values in got.items():
            medians[name].append(statistics.median(values))
        samples.append(sample(peaks, words))
    return medians, samples
