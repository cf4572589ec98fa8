"""The driver of the benchmarks: it measures nothing itself, others answer its questions."""
