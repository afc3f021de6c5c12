"""verl as this project's trainer: composing its config, starting it, and the small plugin that lets it run on CPUs.

`plugin` is loaded by verl itself in every process of a CPU run; nothing in verl is edited. A run on GPUs uses the
same modules with another config and without the plugin.
"""
