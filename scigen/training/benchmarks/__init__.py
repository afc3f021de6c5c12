"""Published benchmarks as parquet files for verl's validation: one file of this package a benchmark."""

from scigen.training.benchmarks.base import Benchmark
from scigen.training.benchmarks.build import BenchmarkInfo, build_benchmark, malformed_set
from scigen.training.benchmarks.geometry3k import Geometry3K
from scigen.training.benchmarks.mathvision import MathVision
from scigen.training.benchmarks.prompt import Prompts

__all__ = ["Benchmark", "BenchmarkInfo", "Geometry3K", "MathVision", "Prompts", "build_benchmark", "malformed_set"]
