"""Does a folder stay whole when its writer is killed? Run by the tests; prints what it saw.

python -m tests.killed FOLDER ROUNDS: exports two plans in turn into one folder, is killed at a
random moment, and looks at what is there; ROUNDS times.
"""

import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

import pruneviz as pv
from pruneviz.export.files import staging, sweep

FORMATS = ("safetensors", "state_dict", "sparse", "masks", "shrunk", "torch-prune")


def digests(folder: Path) -> dict[str, str]:
    """Every file that has its name, and what is in it."""
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write(bench: pv.Workbench, plan: pv.Plan, folder: Path) -> None:
    """All files of a plan, over those that are there."""
    bench.export(plan, folder, FORMATS, overwrite=True, archive=True)


def main() -> None:
    """Count kills, half files and leftovers; ends with 1 where a file is half or lost."""
    torch.set_num_threads(1)
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    bench, random_ = pv.open("lenet5"), random.Random(0)
    plans = [pv.Plan("l2", "neuron", sparsity={"fc1": level}) for level in (0.3, 0.7)]
    whole, took = [], 0.0
    for place, plan in enumerate(plans):
        start = time.perf_counter()
        write(bench, plan, folder / str(place))
        took = time.perf_counter() - start
        whole.append(digests(folder / str(place)))
    aim = folder / "aim"
    write(bench, plans[0], aim)
    confirmed = leftovers = mixed = 0
    for _ in range(rounds):
        read, told = os.pipe()
        child = os.fork()
        if not child:
            for turn in range(1_000):
                write(bench, plans[turn % 2], aim)
                os.write(told, b".")
        os.close(told)
        time.sleep(random_.uniform(0, 3 * took))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(read, "rb") as pipe:
            confirmed += len(pipe.read())
        found = digests(aim)
        assert found.keys() == whole[0].keys(), f"lost: {whole[0].keys() - found.keys()}"
        for name, digest in found.items():
            assert digest in (whole[0][name], whole[1][name]), f"{name} is half"
        mixed += found not in whole
        leftovers += any(path.name.startswith(".") for path in aim.iterdir())
    for path in aim.iterdir():  # killed before its lock was there: a minute must go by
        if path.name.startswith("."):
            os.utime(path, (0, 0))
    with staging(aim):
        sweep(aim)
    assert not [path for path in aim.iterdir() if path.name.startswith(".")]
    print(f"{rounds} kills, {confirmed} exports confirmed, {leftovers} leftovers, {mixed} mixed")


if __name__ == "__main__":
    main()
