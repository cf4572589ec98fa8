"""Programs that answer, and how they take turns.

All that take part in a row are started together and stay alive through it. In each of
three passes they run in turn, A B C A B C, each for about an eighth of a second, and begin
when the threads of the one before no longer run; a figure is the median of a pass, and the
row's the median of the passes. Peaks are sampled before and after each pass.
"""

import os
import select
import signal
import statistics
import subprocess
import time

from . import machine

PASSES, ROUNDS, SLICE_NS, BUDGET_NS = 3, 5, 0.12e9, 10e9  # a pass: rounds within a budget
QUIET_S, PATIENCE_S = 0.05, 2.0  # a wait where nobody says who runs; the longest one


class Failed(Exception):
    """A program died or said something else than it should; the text is for the table."""


class Server:
    def __init__(self, name, command, threads, folder, env=None):
        self.name, self.up = name, False
        self.log = os.path.join(folder, f"{name.replace(' ', '-')}.log")
        processors = machine.pin(threads)
        everything = dict(os.environ, OMP_NUM_THREADS=str(threads), **(env or {}))
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=everything, preexec_fn=lambda: os.sched_setaffinity(0, processors))

    def ready(self):
        """Waits until it has started; all that were made before start at the same time."""
        if not self.up:
            self.expect("ready", 900)
            self.up = True

    def failed(self, what):
        with open(self.log) as f:
            said = [s for s in f.read().splitlines() if s.strip()]
        raise Failed(f"{self.name} {what}: {said[-1] if said else self.ending()}")

    def ending(self):
        """How a program without a word came to its end."""
        try:
            status = self.process.wait(2)
        except subprocess.TimeoutExpired:
            return "no word of why"
        return signal.Signals(-status).name if status < 0 else f"status {status}"

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
        self.ready()
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

    def runs(self):
        """Whether a thread of it runs, or wants to; None where the system does not say."""
        tasks, states = f"/proc/{self.process.pid}/task", []
        try:
            for task in os.listdir(tasks):
                with open(f"{tasks}/{task}/stat") as f:
                    states.append(f.read().rpartition(")")[2].split()[0])
        except OSError:
            return None
        return "R" in states

    def close(self):
        if self.process.poll() is None:
            if not self.up:  # nobody has spoken to it yet
                self.process.kill()
            try:
                if self.up:
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


def quiet(players):
    """Waits until all have come to rest. Threads that wait for work spin at first, those of
    ONNX Runtime for 30 ms, and would take a processor from who comes next."""
    servers = [p for p in players if isinstance(p, Server)]
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        states = [s.runs() for s in servers]
        if None in states:
            time.sleep(QUIET_S)
            return
        if True not in states:
            return
        time.sleep(0.001)
    spinning = [s.name for s in servers if s.runs()]
    if spinning:
        machine.note(f"{' and '.join(spinning)} did not come to rest")


def sample(server, words, players):
    quiet(players)
    return {w: server.number(w) for w in words}


def plan(players):
    """How often each runs in its turn, and how many rounds fit in a pass."""
    times, total = {}, 0
    for p in players:
        quiet(players)
        took = p.run(1)  # warm already: its result has been compared
        if took < SLICE_NS and not machine.QUICK:
            took = min(took, p.run(3))
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
        samples.append(sample(peaks, words, players))
        got = {p.name: [] for p in players}
        for _ in range(rounds):
            for p in players:
                quiet(players)
                got[p.name].append(p.run(times[p]))
        for name, values in got.items():
            medians[name].append(statistics.median(values))
        samples.append(sample(peaks, words, players))
    return medians, samples
