"""The machine: features, cores to pin to, and folders."""

import os
import platform
import shutil
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(ROOT, "bench")
WORK = os.path.join(ROOT, "build", "bench")
VENV = os.path.join(ROOT, "build", "bench-venv")
QUICK = os.environ.get("BENCH_QUICK", "") not in ("", "0")


def note(text):
    """Progress, beside the table."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


def cpuinfo(key):
    try:
        with open("/proc/cpuinfo") as f:
            for line in f:
                name, _, value = line.partition(":")
                if name.strip() == key:
                    return value.strip()
    except OSError:
        pass
    return ""


FLAGS = set((cpuinfo("flags") or cpuinfo("Features")).split())


def features():
    shown = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16",
             "amx_int8", "amx_bf16", "asimd", "asimddp", "bf16", "i8mm", "sve")
    return [f for f in shown if f in FLAGS]


def memory_gb():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def caches():
    base, found = "/sys/devices/system/cpu/cpu0/cache", []
    for index in sorted(os.listdir(base) if os.path.isdir(base) else []):
        try:
            level, kind, size = (open(f"{base}/{index}/{n}").read().strip()
                                 for n in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found)


def description():
    return [("processor", cpuinfo("model name") or platform.machine()),
            ("features", " ".join(features()) or "none of those looked for"),
            ("cores, caches", f"{len(cores())} cores used of {os.cpu_count()}; {caches()}"),
            ("memory", f"{memory_gb():.0f} GB"),
            ("system", " ".join([platform.system(), *platform.libc_ver()]))]


def siblings(cpu):
    path = f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
    try:
        return open(path).read().strip()
    except OSError:
        return str(cpu)


def cores():
    """One processor of every core we may use; the last ones first, as systems begin at 0."""
    seen, out = set(), []
    for cpu in sorted(os.sched_getaffinity(0), reverse=True):
        if siblings(cpu) not in seen:
            seen.add(siblings(cpu))
            out.append(cpu)
    return out


def pin(threads):
    """The set of processors for so many threads; None when there are too few."""
    return set(cores()[:threads]) if len(cores()) >= threads else None


def room_gb(path):
    return shutil.disk_usage(path).free / 2**30


def check_idle():
    load = os.getloadavg()[0]
    if load > 0.5:
        note(f"the load is {load:.1f}: something else runs, so times are not to be trusted")
