"""How is a network made smaller from a terminal?"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import click
from safetensors.torch import load_file, save_file
from torch import Tensor

from pruneviz.cli.plan_options import plan_options, take_plan
from pruneviz.cli.shared import JSON, open_bench, plain_errors, print_json
from pruneviz.measuring.sizes import file_tensors
from pruneviz.network.agreement import agreement
from pruneviz.options import opening_options
from pruneviz.plan import Plan

_SAMPLES = 32
_SUFFIX = ".safetensors"


@click.command()
@opening_options
@plan_options
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the weights go: a .safetensors file.",
)
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
@JSON
def shrink(out: Path, force: bool, as_json: bool, **values: Any) -> None:
    """Remove the pruned units of MODEL for real, prove it, and write what is left to a file.

    Example: pruneviz shrink lenet5 --granularity neuron --all 0.5 --out small.safetensors
    """
    _check(out, force=force)
    bench = open_bench(values)
    with plain_errors():
        plan, alone = take_plan(bench, values)
        pruned = bench.prune(plan)
        masked = pruned.overlay()
        small = pruned.removal(masked).network
        data = bench.source.validation.first(_SAMPLES)
        proof = agreement(masked, small, data.inputs)
        tensors = file_tensors(small)
        _write(out, tensors, plan)
    before, after = (sum(p.numel() for p in n.parameters()) for n in (pruned.dense, small))
    if as_json:
        print_json(
            {
                "model": bench.name,
                "plan": plan.as_dict(),
                "file": str(out),
                "bytes": out.stat().st_size,
                "params": before,
                "params_left": after,
                "difference": proof.difference,
                "precision": proof.precision,
                "samples": len(data),
            }
        )
        return
    for name, reason in alone.items():
        click.echo(f"left dense: {name} ({reason})", err=True)
    click.echo(
        f"parameters: {before:,} before, {after:,} after ({after / before:.1%})\n"
        f"masked and shrunk, on {len(data):,} samples: {proof.words}\n"
        f"written: {out} ({out.stat().st_size:,} bytes)"
    )


def _check(out: Path, *, force: bool) -> None:
    if out.suffix != _SUFFIX:
        raise click.ClickException(f"--out takes a {_SUFFIX} file, got {str(out)!r}")
    if out.is_dir() or (out.exists() and not force):
        raise click.ClickException(
            f"{str(out)!r} is there already; choose another --out, or say --force"
        )
    if not out.absolute().parent.is_dir():
        raise click.ClickException(f"there is no folder {str(out.parent)!r} for {out.name!r}")


def _write(out: Path, tensors: dict[str, Tensor], plan: Plan) -> None:
    """All of the file or nothing: under another name first, read back, and then renamed."""
    handle, name = tempfile.mkstemp(
        suffix=_SUFFIX, prefix=f".{out.stem}-", dir=out.absolute().parent
    )
    os.close(handle)
    try:
        save_file(tensors, name, {"plan": json.dumps(plan.as_dict())})
        again = load_file(name)
        if set(again) != set(tensors) or not all(again[n].equal(t) for n, t in tensors.items()):
            raise ValueError(f"what was written to {str(out)!r} does not read back")
        Path(name).chmod(0o644)
        Path(name).replace(out)
    finally:
        Path(name).unlink(missing_ok=True)
