"""The main job: `python train.py [+experiment=NAME] [key=value ...]`. See `python train.py --help`."""

from scigen.app.cli import main

if __name__ == "__main__":
    main("train", "scigen.app.train:run")
