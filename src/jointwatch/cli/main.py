"""The command line: `jointwatch --help`.

Each command is a thin shell about a function of the rooms above: it reads its arguments, shows progress on a
terminal, prints what came out, and turns what is wrong with an input into one sentence and exit status 2.
Everything that computes is imported inside the command that needs it, so that help and mistakes are instant.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from jointwatch.records.errors import BadInput

app = typer.Typer(
    name="jointwatch",
    help="One missile-warning picture, two partners: joint detection, tracking, warning and review.\n\n"
    "For exercises and research. Not certified, and no substitute for an authority's instructions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for a program to read.")]


@app.command()
def run(
    scenario: Annotated[
        Path, typer.Argument(help="The exercise, a TOML file (scenarios/two-partners.toml).")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the results; earlier results there are replaced. [out/NAME]"),
    ] = None,
    speed: Annotated[
        str, typer.Option("--speed", help="Seconds of the exercise a second, or max. Results are the same.")
    ] = "max",
    keep_pace: Annotated[
        bool,
        typer.Option(
            "--keep-pace",
            help="With --speed: nodes that cannot keep pace shed load as live ones do, and say so; results "
            "then hang on the machine.",
        ),
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Another seed than the exercise's own.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="KEY=VALUE",
            help="A change to the exercise: azimuth_deg turns the raids, detection replaces every sensor's "
            "probability of detection, clutter multiplies the clutter. May be given again.",
        ),
    ] = None,
    sinks: Annotated[
        Path | None,
        typer.Option(
            "--sinks",
            metavar="FILE",
            help="Send the alerts, as they are given, to the exercise sinks of this TOML file: folders, "
            "feeds, webhooks. Without it nothing leaves.",
        ),
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option(
            "--sources",
            metavar="FILE",
            help="Show others' alerts too: the exercise sources of this TOML file (folders, feeds of CAP "
            "messages), and whose signatures are trusted. They decide nothing.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Play an exercise and write its report.

    Every partner gets a node of its own, and a second one without the link: what it would have seen and
    warned alone. Written are report.html, summary.json, alerts/*.xml (CAP 1.2, signed with a key made for
    this run; PARTNER.cert.pem beside them is its certificate) and one journal a partner. With --sinks the
    alerts also leave while it plays; feeds end with the run, so give a --speed if somebody is to poll them.
    With --sources the report also shows what others warned of, checked by signature, age and status.
    """
    from jointwatch.cli.play import run_exercise

    run_exercise(scenario, out, speed, seed, vary or [], json, keep_pace, sinks, sources)


@app.command()
def replay(
    journal: Annotated[Path, typer.Argument(help="A node's journal (PARTNER.journal.sqlite).")],
    check: Annotated[
        bool, typer.Option("--check", help="Recompute everything and compare it bit for bit.")
    ] = False,
    json: Json = False,
) -> None:
    """Read a node's journal: what it holds, or with --check whether it comes out again.

    Exit status 0 if it does, 1 if it does not (and where), 2 if the journal is cut or altered.
    """
    from jointwatch.cli.journals import replay_journal

    raise typer.Exit(replay_journal(journal, check, json))


@app.command()
def review(
    results: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `jointwatch run` wrote.")],
    json: Json = False,
) -> None:
    """Print an exercise's results again: the sentence, the three pictures side by side, the procedure."""
    from jointwatch.cli.tables import review_results

    review_results(results, json)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A scenario file (TOML).")],
) -> None:
    """Check a scenario and say in words what it will do; what is wrong is named by file and key."""
    from jointwatch.cli.describe import describe_scenario

    for line in describe_scenario(file):
        typer.echo(line)


@app.command()
def sweep(
    scenario: Annotated[Path, typer.Argument(help="The exercise, a TOML file.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder for sweep.json and sweep.svg.")
    ],
    runs: Annotated[
        int, typer.Option("--runs", min=1, help="How many seeds, from the exercise's own on.")
    ] = 10,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The first of them, if not the exercise's own.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes side by side. Results are the same.")
    ] = 1,
    json: Json = False,
) -> None:
    """Show what other costs of a missed zone and of one told for nothing would have meant, to choose them by.

    Each run is played once. Then its warnings are decided again for a ladder of costs, from 4 to 399 times as
    bad to be struck unwarned as to be told for nothing, and by the present policy: which zones that were
    struck were not warned in time, and how long others were in shelter for nothing. Thresholds that the
    exercise states hold as far as such costs leave room for them. Nothing else is varied.
    """
    from jointwatch.cli.sweep import sweep_costs

    sweep_costs(scenario, runs, out, seed, workers, json)


@app.command()
def zones(
    geojson: Annotated[
        Path | None, typer.Option("--geojson", help="Your own zones instead of the areas shipped.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="LAT,LON", help="Only the zones near a place, in degrees.")
    ] = None,
    within: Annotated[
        float, typer.Option("--within", min=0.0, help="How near, in metres (with --at).")
    ] = 1000.0,
    full: Annotated[bool, typer.Option("--list", help="Name every zone, not only how many.")] = False,
    json: Json = False,
) -> None:
    """Count or list alert areas and their times to shelter, all of them or those near a place."""
    from jointwatch.cli.describe import show_zones

    show_zones(geojson, at, within, full, json)


@app.command()
def assess(
    file: Annotated[Path, typer.Argument(help="An assessment file (scenarios/assessment.toml).")],
    json: Json = False,
) -> None:
    """The joint assessment: each partner's chance of fire, the pooled one, how far they differ, and why."""
    from jointwatch.cli.describe import show_assessment

    show_assessment(file, json)


@app.command()
def alerts(
    place: Annotated[
        str, typer.Argument(metavar="FILE_OR_URL", help="A CAP message, or the address of one or of a feed.")
    ],
    trust: Annotated[
        list[Path] | None,
        typer.Option(
            "--trust", metavar="CERT", help="A certificate whose key may have signed it. May be given again."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Judge as at this time (2026-01-31T12:00:00Z): an exercise has its own. [now]",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say of another system's CAP alert who signed it, whether it is fresh, what it says.

    It is judged as a node of its kind would: exit status 0 if it would be taken, 1 if not (and why), 2 if it
    is no CAP message. Without --trust nobody is asked for a signature, and that is said.
    """
    from jointwatch.cli.alerts import check_alerts

    raise typer.Exit(check_alerts(place, trust or [], at, json))


keys = typer.Typer(no_args_is_help=True, help="Make keys and say what they are for.", rich_markup_mode=None)
app.add_typer(keys, name="keys")


@keys.command()
def new(
    sender: Annotated[
        str, typer.Argument(metavar="SENDER", help="Whose: the sender of warnings as CAP names it.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the files.")],
    exercise: Annotated[bool, typer.Option("--exercise", help="For warnings of exercises.")] = False,
    live: Annotated[bool, typer.Option("--live", help="For live warnings.")] = False,
    link: Annotated[
        bool, typer.Option("--link", help="For what a partner's node sends to others (SENDER: its name).")
    ] = False,
    years: Annotated[
        float, typer.Option("--years", help="How long a certificate of warnings holds from now on.")
    ] = 2.0,
    begins: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DAY",
            help="From when a certificate of warnings holds (2026-01-31): an exercise plays at its own time. "
            "[now]",
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--also",
            metavar="NAME",
            help="Another sender that the certificate covers, SENDER-PARTNER, for a node that warns zones of "
            "that partner too. Again for each.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make a key that warnings, or messages between partners, are signed with.

    For warnings SENDER-exercise.key.pem or SENDER-live.key.pem is written, which its owner alone reads, and
    the certificate beside it (cert.pem), which says whose the key is and what it is for. With --link they are
    SENDER.link.key and SENDER.link.pub. A file that is there is never replaced.
    """
    from jointwatch.cli.keys import new_key

    new_key(sender, exercise, live, link, years, out, json, begins, also or [])


@keys.command()
def show(
    file: Annotated[Path, typer.Argument(help="A key or a certificate that `jointwatch keys new` wrote.")],
    json: Json = False,
) -> None:
    """Say whose a key or certificate is, whether for exercises or live, how long it holds, its fingerprint.

    Of a private key nothing is printed.
    """
    from jointwatch.cli.keys import show_key

    show_key(file, json)


@app.command()
def warm(
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            metavar="DIR",
            help="Keep what is compiled in this folder, for all users of the site; they set "
            "JOINTWATCH_CACHE=DIR, which this replaces. [that variable, else beside the program]",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Compile, once for an install, all that nodes and exercises need, so that none has to wait for it.

    It takes a minute or two, and a second or two when it was done before. Without it the first start of a
    node or an exercise does the same. Where the folder cannot be written, the user's own cache is used.
    """
    from jointwatch.cli.warm import fill_cache

    fill_cache(cache, json)


@app.command()
def simulate(
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds, one after another.")] = 100,
    first: Annotated[int, typer.Option("--first", min=0, help="The first of them.")] = 0,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes side by side. Results are the same.")
    ] = 1,
    json: Json = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Say on standard error what happens, line by line.")
    ] = False,
) -> None:
    """Try the whole system under faults: nodes, links, disks and clocks, in virtual time.

    Each seed draws two or three partners' nodes with their radars, missiles and sharing rules, and what goes
    wrong: crashes at any point, links that lose, double, delay, corrupt or are cut, clocks that are set, a
    partner that floods, forges and lies. Then all is healed and it is checked that nothing acknowledged was
    lost, no alert given twice, nothing counted twice, that equal sets of reports give equal joint pictures,
    and that each node warned no later than it would have alone. A seed that breaks does so again, exactly.

    Exit status 0 if all holds, 1 if anything breaks (and the command that shows it again).
    """
    from jointwatch.cli.simulate import run_seeds

    raise typer.Exit(run_seeds(seeds, first, workers, json, trace))


def main() -> None:
    """The program: BadInput is one sentence on standard error and exit status 2."""
    # asked to end, it ends as by Ctrl-C: nothing half-written stays behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app()
    except BadInput as error:
        typer.echo(f"jointwatch: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        # a full disk, a file taken away: not the input's fault, but a person's to mend all the same
        typer.echo(f"jointwatch: {error.filename or 'output'}: {error.strerror or error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
