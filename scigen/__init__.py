"""scigen: from science problems to verified scientific images to better multimodal reasoners.

Imports run `records <- store <- rendering|problems <- generators <- evaluation <- training <- analysis <- app`;
tests/test_architecture.py holds the package to it.
"""

__version__ = "0.1.0"
