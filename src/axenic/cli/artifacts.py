"""`axenic artifacts`: what is in the store, what it was made from, and making room.

In: the store. Out: tables or JSON. Only `gc` removes anything, and unless told otherwise only interrupted and damaged work.
"""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from axenic.cli import options
from axenic.errors import UserError

if TYPE_CHECKING:
    from axenic.pipeline.record import Artifact
    from axenic.pipeline.store import Store

app = typer.Typer(help="List artifacts, show where one came from, and make room.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_(store: options.Store = None, as_json: options.Json = False) -> None:
    """List every artifact, oldest first, with its size."""
    from axenic.pipeline.store import Store
    from axenic.report import numbers

    home = Store(store)
    found = home.list()
    if as_json:
        rows = [{**_brief(one), "parents": [parent.fingerprint for parent in one.lineage]} for one in found]
        typer.echo(json.dumps({"store": str(home.root), "sizes": home.sizes, "artifacts": rows}, indent=2))
        return
    for one in found:
        typer.echo(f"{one.fingerprint[:12]}  {numbers.size(one.size):>9}  {_age(one.age_days):>8}  {one.label}")
    sizes = home.sizes
    other = sizes["partial"] + sizes["corrupt"]
    typer.echo(f"\n{len(found)} artifacts, {numbers.size(sizes['artifacts'])}, in {home.root}")
    if other:
        typer.echo(f"Interrupted or damaged work: {numbers.size(other)} (`axenic artifacts gc` removes it).")


@app.command()
def show(
    fingerprint: Annotated[str, typer.Argument(metavar="ID", help="A fingerprint, or how it begins.")],
    store: options.Store = None,
    as_json: options.Json = False,
) -> None:
    """Show what an artifact is and what it was made from."""
    from axenic.cli.manifest import lineage
    from axenic.pipeline.store import Store
    from axenic.report import numbers

    home = Store(store)
    one = _find(home, fingerprint)
    sound = home.find(one.fingerprint) is not None
    if as_json:
        typer.echo(json.dumps({"path": str(one.path), "sound": sound, **one.record.model_dump(mode="json")}, indent=2))
        return
    record = one.record
    typer.echo(
        f"{record.label}\n  {record.fingerprint}\n  {one.path}\n  {record.function} version {record.version}, seed {record.seed}"
    )
    typer.echo(f"  {numbers.size(one.size)} in {len(record.files)} files, made in {numbers.seconds(record.seconds)}")
    typer.echo(f"  made with axenic {record.axenic}{f', commit {record.commit[:12]}' if record.commit else ''}")
    typer.echo(f"  {'every file matches its checksum' if sound else 'DAMAGED: it will be rebuilt when it is needed'}")
    typer.echo("Made from" if record.lineage else "Made from nothing else")
    for parent in lineage(record, home)[:-1]:
        direct = "*" if parent.fingerprint in {p.fingerprint for p in record.lineage} else " "
        typer.echo(f" {direct} {parent.fingerprint[:12]}  {parent.label}")


@app.command()
def gc(
    keep_runs: Annotated[
        list[Path] | None, typer.Option("--keep-runs", metavar="DIR", help="Keep what this run was made from; remove the rest.")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Remove only what has not changed for so many days.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove every artifact.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    store: options.Store = None,
    as_json: options.Json = False,
) -> None:
    """Make room by removing what no run needs.

    By itself it removes interrupted and damaged work; artifacts only with --keep-runs, --older-than or --all.
    """
    from axenic.pipeline.store import Store
    from axenic.report import numbers

    home = Store(store)
    if everything and keep_runs:
        raise UserError("--all and --keep-runs contradict each other. Give one of them.")
    chosen = everything or keep_runs or older_than is not None
    keep = _kept(keep_runs or []) if chosen else {one.fingerprint for one in home.list()}
    removed = home.gc(keep, older_than_days=older_than or 0.0, dry_run=dry_run)
    if as_json:
        rows = [{"path": str(one.path), "kind": one.kind, "label": one.label, "bytes": one.size} for one in removed]
        typer.echo(json.dumps({"store": str(home.root), "dry_run": dry_run, "removed": rows}, indent=2))
        return
    for one in removed:
        typer.echo(f"{one.path.name[:12]}  {numbers.size(one.size):>9}  {one.kind:<8}  {one.label}")
    verb = "would be removed" if dry_run else "removed"
    typer.echo(f"{len(removed)} {verb}, {numbers.size(sum(one.size for one in removed))}")


def _find(store: "Store", start: str) -> "Artifact":
    found = [one for one in store.list() if one.fingerprint.startswith(start)]
    if not found:
        raise UserError(f"No artifact in {store.root} begins with '{start}'. `axenic artifacts list` names them all.")
    if len(found) > 1:
        raise UserError(
            f"'{start}' begins {len(found)} artifacts: {', '.join(one.fingerprint[:16] for one in found[:5])}. Give more of it."
        )
    return found[0]


def _kept(runs: list[Path]) -> set[str]:
    """Fingerprints of all that the runs were made from, as their manifests list it."""
    keep: set[str] = set()
    for run in runs:
        try:
            content = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
            keep |= {str(one["fingerprint"]) for one in content["artifacts"]}
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(f"'{run}' has no readable manifest.json, so what it needs is unknown. Nothing was removed.") from None
    return keep


def _brief(one: "Artifact") -> dict[str, Any]:
    record = one.record
    finished = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.started + record.seconds))
    return {"fingerprint": record.fingerprint, "label": record.label, "function": record.function, "bytes": one.size,
            "seconds": record.seconds, "finished": finished}  # fmt: skip


def _age(days: float) -> str:
    return f"{days:.0f} d" if days >= 1 else f"{24 * days:.0f} h" if days >= 1 / 24 else f"{1440 * days:.0f} min"
