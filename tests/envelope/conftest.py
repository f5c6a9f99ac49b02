import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[2]
sys.path[0:0] = [str(ROOT / "bench"), str(ROOT / "bench" / "envelope")]
