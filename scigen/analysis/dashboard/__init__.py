"""One list of panels, two renderers: a W&B workspace and report, and a local page that needs no W&B and no network."""
