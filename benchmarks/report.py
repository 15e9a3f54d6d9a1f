"""Write the pages of results from the stored results.

python -m benchmarks.report

This writes docs/results.md and docs/speed.svg, and the README's six figures between its two `results` comments.
"""

import json
from html import escape
from typing import Any

from benchmarks import _results
from digits.runs.presets import PRESETS
from digits.settings import PROJECT_DIR

BEGIN, END = "<!-- results -->", "<!-- /results -->"
PAGE, CHART = PROJECT_DIR / "docs" / "results.md", PROJECT_DIR / "docs" / "speed.svg"
PEERS = {
    "digits, as the app runs it": "Digits, in the app",
    "keras_fit, default": "Keras `fit`, defaults",
    "keras_fit, best": "Keras `fit`, tuned",
    "tf1_session, loop": "TensorFlow 1 session",
    "torch_loop, tutorial": "PyTorch, its tutorial",
    "torch_loop, best": "PyTorch, tuned",
    "torch_loop, compiled": "PyTorch, compiled",
    "jax_loop, scan": "JAX, scan",
    "jax_loop, scan_bfloat16": "JAX, scan, bfloat16",
    "jax_loop, step": "JAX, step by step",
}


def main() -> None:
    CHART.write_text(chart(read("training_peers")["figures"]["networks"]), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    readme = PROJECT_DIR / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    readme.write_text(f"{before}{BEGIN}\n{summary()}\n{END}{after}", encoding="utf-8")
    print("Written to", ", ".join(path.relative_to(PROJECT_DIR).as_posix() for path in (PAGE, CHART, readme)))


def page() -> str:
    """Return docs/results.md: every table, each with the command that measured it."""
    sections = {
        "Training": (training_table(read("training_peers")), profile_table(read("step_profile"))),
        "Watching a run": (watching_table(read("watching")),),
        "Reading": (inference_table(read("inference")),),
        "Reading in the browser": (
            pen_table(read("pen_up"), read("slow_line")),
            live_table(read("live_reading")),
            parity_table(read("live_parity")),
        ),
        "What a visitor waits for": (clock_table(read("visitor_clock")), transport_table(read("transport_clock"))),
        "Many visitors": (visitors_table(read("many_visitors")),),
        "Searching for settings": (sweep_table(read("sweep")),),
    }
    parts = ["# Results", "Made by `python -m benchmarks.report` from the files in `benchmarks/results/`."]
    for title, tables in sections.items():
        parts += [f"## {title}", *tables]
    return "\n\n".join(parts) + "\n"


def summary() -> str:
    """Return the README's table of six figures."""
    clock, training = read("visitor_clock")["figures"], read("training_peers")["figures"]["networks"]["corrected"]
    reading = read("inference")["figures"]["idle"]
    page, pen = clock["command_to_usable_page"], clock["pen_up_to_answer_idle"]
    rows = [
        [
            "From the command to a usable page",
            f"{page['digits_ms']['p50'] / 1000:.1f} s",
            f"{page['bare_page_ms']['p50'] / 1000:.1f} s, a bare Streamlit page",
            "visitor_clock",
        ],
        [
            "From lifting the pen to the answer",
            f"{pen['digits']['p50']:.0f} ms",
            f"{pen['bare page']['p50']:.0f} ms, the bare page",
            "visitor_clock",
        ],
        [
            "Reading one image, convolutional network",
            f"{reading['digits, LiteRT']['one_ms_p50']:.2f} ms",
            f"{reading['model.predict']['one_ms_p50']:.0f} ms, Keras `predict`",
            "inference",
        ],
        [
            "From Start to the test accuracy, softmax regression",
            f"{clock['start_to_test_accuracy']['softmax']['p50'] / 1000:.1f} s",
            "",
            "visitor_clock",
        ],
        [
            "One training iteration, three hidden layers, corrected",
            f"{training['digits, as the app runs it']['ms']:.1f} ms",
            f"{training['keras_fit, default']['ms']:.1f} ms, Keras `fit`",
            "training_peers",
        ],
        [
            "Memory of the web process and of the trainer",
            f"{clock['web_mb']} MB and {clock['trainer_mb']:,} MB",
            "",
            "visitor_clock",
        ],
    ]
    return table(
        ["", "Digits", "for comparison", "measured by"],
        [[*cells, f"`python -m benchmarks.{command}`"] for *cells, command in rows],
    )


def read(name: str) -> dict[str, Any]:
    """Return the stored record of a benchmark."""
    return json.loads((_results.RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def how_measured(record: dict[str, Any]) -> str:
    """Return a sentence with the command, the date and the machine of a record."""
    machine = record["machine"]
    return f"`{record['command']}`, {record['date'][:10]}, {machine['cpu']}, {machine['cores']} cores."


def table(head: list[str], rows: list[list[Any]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def training_table(record: dict[str, Any]) -> str:
    networks = record["figures"]["networks"]
    rows = []
    for peer, title in PEERS.items():
        cells = [title]
        for figures in networks.values():
            row = figures.get(peer)
            cells.append(f"{row['ms']:.2f} ({row['times_as_long_as_digits']:.2f}×)" if row else "")
        rows.append(cells)
    head = ["ms an iteration (against Digits)", *(PRESETS[network].title for network in networks)]
    shares = ", ".join(
        f"{figures['digits, as the app runs it']['share_of_bfloat16_limit']:.0%}" for figures in networks.values()
    )
    rounds = ", ".join(str(figures["digits, as the app runs it"]["rounds"]) for figures in networks.values())
    limits = record["figures"]["matrix_gflops"]
    return (
        f"![Milliseconds an iteration, Digits against its peers]({CHART.name})\n\n{table(head, rows)}\n\n"
        f"{how_measured(record)} Medians of interleaved rounds ({rounds}); each network's frameworks were measured in "
        "one run. A ratio above 1 means slower than Digits. Large matrix products reach "
        f"{limits['float32']:.0f} GFLOP/s here in float32 and {limits['bfloat16']:.0f} in bfloat16; Digits reaches "
        f"{shares} of the bfloat16 rate measured in its own run."
    )


def profile_table(record: dict[str, Any]) -> str:
    figures = record["figures"]
    kinds = dict.fromkeys(kind for row in figures.values() for kind in row["shares"])
    rows = [[kind, *(f"{row['shares'].get(kind, 0):.0%}" for row in figures.values())] for kind in kinds]
    rows.append(["ms an iteration, alone", *(f"{row['ms']:.2f}" for row in figures.values())])
    head = ["share of an iteration's time", *(PRESETS[network].title for network in figures)]
    return (
        f"{table(head, rows)}\n\n{how_measured(record)} Shares of the total time of all operations, some of which run "
        "at the same time."
    )


def watching_table(record: dict[str, Any]) -> str:
    figures = record["figures"]
    how = ("alone", "watched")
    rows = [
        ["ms an iteration", *(" / ".join(f"{row[key]['ms']:.2f}" for key in how) for row in figures.values())],
        *(
            [name, *(" / ".join(f"{row[key][name]:.0f}%" for key in how) for row in figures.values())]
            for name in next(iter(figures.values()))["watched"]
            if name != "ms"
        ),
    ]
    head = ["alone / watched", *(PRESETS[network].title for network in figures)]
    return f"{table(head, rows)}\n\n{how_measured(record)} 100% is one processor; the page is Chromium's renderer."


def inference_table(record: dict[str, Any]) -> str:
    idle, busy = record["figures"]["idle"], record["figures"]["while a run trains"]
    rows = [
        [
            name,
            f"{row['one_ms_p50']:.2f} / {row['one_ms_p95']:.2f}",
            f"{busy[name]['one_ms_p50']:.2f} / {busy[name]['one_ms_p95']:.2f}",
            f"{row['all_seconds']:.2f}",
        ]
        for name, row in idle.items()
    ]
    head = ["reading", "one image, ms, p50 / p95", "the same while a run trains", "10,000 images, s"]
    return f"{table(head, rows)}\n\n{how_measured(record)} The convolutional network."


def pen_table(record: dict[str, Any], first_visit: dict[str, Any]) -> str:
    rows = []
    for way, times in record["figures"].items():
        moved, lifted = times["move_to_answer_ms"], times["release_to_server_ms"]
        cells = [f"{time[key]:,.0f}" for time in (moved, lifted) for key in ("p50", "p95")]
        rows.append([way.replace(" / 1", " at full speed").replace(" / 4", " slowed four times"), *cells])
    head = ["on the Draw page, ms", "a move's answer painted, p50", "p95", "pen-up to the server's answer, p50", "p95"]
    seconds, megabytes = first_visit["figures"]["ms_to_sheet"]["p50"] / 1000, first_visit["figures"]["bytes"] / 1e6
    return (
        f"{table(head, rows)}\n\n{how_measured(record)} At 1.6 Mbit/s, with the processor slowed four times, a first "
        f"visitor can draw after {seconds:.1f} s and {megabytes:.2f} MB: {how_measured(first_visit)}"
    )


def live_table(record: dict[str, Any]) -> str:
    figures = record["figures"]
    rows = []
    for row in figures["moves"]:
        name = f"{row['what']}, {'WebAssembly' if row['engine'] == 'simd' else 'plain JavaScript'}"
        times = [f"{row[key]:,.1f}" for key in ("processor", "p50", "p95")]
        rows.append([name + ", throttled 4×" * (row["throttled"] > 1), *times, f"{row['moves']:,}"])
    head = ["from a move of the pen to the answer, ms", "the page's processor time", "p50", "p95", "moves"]
    fetched = figures["fetched_bytes"]
    shared = fetched["scripts"] + fetched["drawing"]["judge"] + fetched["drawing"]["kernel"]
    networks = ", ".join(f"{name} {_kilobytes(row['network'])}" for name, row in fetched.items() if name != "scripts")
    return (
        f"{table(head, rows)}\n\n{how_measured(record)} The load was {figures['load']:.0f}: "
        "p50 and p95 contain the waiting for other programs, the processor time does not. The network for drawings. A "
        f"browser fetches once, compressed: scripts and judge {_kilobytes(shared)}, and a network: {networks}."
    )


def parity_table(record: dict[str, Any]) -> str:
    figures = record["figures"]
    rows = [
        [
            row["what"],
            f"{row['same']:,} of {row['drawings']:,}",
            f"{row['digits']:,}",
            f"{row['refused']:,}",
            f"{row['largest_difference_of_a_probability']:.0e}",
        ]
        for row in figures["rows"]
    ]
    head = [
        "read by the server and in the browser",
        "the same",
        "digits",
        "refused",
        "largest difference of a probability",
    ]
    return (
        f"{table(head, rows)}\n\n{how_measured(record)} The same: the bytes of the images, digits, refusals, words, "
        "and probabilities within 1e-4."
    )


def _kilobytes(count: int) -> str:
    return f"{count / 1000:,.0f} kB"


def clock_table(record: dict[str, Any]) -> str:
    figures = record["figures"]
    rows = []
    for name, title in (
        ("command_to_usable_page", "command to usable page"),
        ("page_to_page", "page to page"),
    ):
        row = figures[name]
        rows.append([title, *(_span(row[key]) for key in ("digits_ms", "bare_page_ms")), f"{row['ratio_p50']:.2f}×"])
    for name, title in (
        ("pen_up_to_answer_idle", "pen-up to answer"),
        ("pen_up_to_answer_while_training", "the same while a run trains"),
    ):
        row = figures[name]
        ratio = row["digits"]["p50"] / row["bare page"]["p50"]
        rows.append([title, _span(row["digits"]), _span(row["bare page"]), f"{ratio:.2f}×"])
        rows.append([f"{title}, on a phone", _span(row["digits, phone"]), "", ""])
    rows.append(["Start to first point", _span(figures["start_to_first_point"]), "", ""])
    for network, row in figures["start_to_test_accuracy"].items():
        rows.append([f"Start to test accuracy, {PRESETS[network].title.lower()}", _span(row), "", ""])
    rows.append(["Gallery to 100 samples", _span(figures["gallery_to_100_samples"]), "", ""])
    head = ["a visitor's wait, ms, p50 / p95", "Digits", "a bare Streamlit page", "ratio"]
    return (
        f"{table(head, rows)}\n\n{how_measured(record)} The canvas itself waits 200 ms before it sends a stroke. "
        f"The web process took {figures['web_mb']} MB, the trainer {figures['trainer_mb']} MB, "
        f"an install {figures['install_mb']} MB."
    )


def transport_table(record: dict[str, Any]) -> str:
    figures = record["figures"]
    rows = [
        [f"{name}{'' if name[0].islower() else ' pressed'}", _span(row), row["count"]]
        for name, row in figures["press_to_effect_ms"].items()
    ]
    short, long = figures["watching"]
    return (
        f"{table(['from press to effect, ms, p50 / p95', '', 'times'], rows)}\n\n{how_measured(record)} A page that "
        f"watches a run of {short['iterations']:,} iterations receives {short['kilobytes_a_second']:.0f} kB a second "
        f"and holds {short['heap_mb']:.0f} MB; of {long['iterations']:,}, {long['kilobytes_a_second']:.0f} kB and "
        f"{long['heap_mb']:.0f} MB."
    )


def visitors_table(record: dict[str, Any]) -> str:
    rows = [
        [
            row["sessions"],
            row["way"],
            "yes" if row["while_training"] else "no",
            _span(row),
            row["processor_ms_a_stroke"],
            f"{row['count']} of {row['wanted']}",
            row["errors"],
            row["web_mb"],
        ]
        for row in record["figures"]["drawing"]
    ]
    visits = record["figures"]["visits"]
    head = ["sessions, a stroke a second", "how", "a run trains", "ms, p50 / p95"]
    head += ["ms of the processor a stroke", "answered", "errors", "web MB"]
    return (
        f"{table(head, rows)}\n\n{how_measured(record)} From sending a stroke to the whole answer. After "
        f"{visits[-1]['visits']} sessions opened and closed the web process had grown from {visits[0]['web_mb']} to "
        f"{visits[-1]['web_mb']} MB."
    )


def _span(row: dict[str, float]) -> str:
    return f"{row['p50']:,.0f} / {row['p95']:,.0f}"


def chart(networks: dict[str, Any]) -> str:
    """Draw each peer's time relative to Digits' as bars, in an SVG that is readable on light and dark pages."""
    width, bar, label, lines = 760, 16, 190, []
    y = 10
    for network, figures in networks.items():
        lines.append(f'<text x="0" y="{y + 12}" font-weight="bold">{escape(PRESETS[network].title)}</text>')
        y += 22
        longest = max(row["times_as_long_as_digits"] for row in figures.values())
        for peer, title in PEERS.items():
            if peer not in figures:
                continue
            ratio = figures[peer]["times_as_long_as_digits"]
            length = max(2.0, ratio / longest * (width - label - 90))
            colour = "#d9742b" if peer.startswith("digits") else "#7c9cbf"
            lines.append(f'<text x="0" y="{y + 12}">{escape(title.replace("`", ""))}</text>')
            lines.append(f'<rect x="{label}" y="{y}" width="{length:.0f}" height="{bar}" fill="{colour}"/>')
            lines.append(
                f'<text x="{label + length + 6:.0f}" y="{y + 12}">{figures[peer]["ms"]:.2f} ms, {ratio:.2f}×</text>'
            )
            y += bar + 4
        y += 14
    style = "text { font: 12px sans-serif; fill: #758290 }"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" role="img">'
        f"<title>Milliseconds an iteration, Digits against its peers; shorter is faster</title><style>{style}</style>\n"
        + "\n".join(lines)
        + "\n</svg>\n"
    )


def sweep_table(record: dict[str, Any]) -> str:
    """Return what each sampler found, against the preset, all tested once after training with a fresh seed."""
    preset, *found = record["figures"].items()
    rows = [["the preset", "", "", "", share(preset[1]["validation"]), share(preset[1]["test"])]]
    for name, sweep in found:
        pruned = f", {sweep['pruned']} pruned" if sweep["pruned"] else ""
        again = sweep["again"]
        rows.append(
            [
                name if sweep["pruner"] == "none" else f"{name} with {sweep['pruner']}",
                f"{sweep['trials']}{pruned}",
                f"{sweep['seconds']:.0f}",
                sweep["best_settings"],
                share(sweep["best_validation"]),
                f"{share(again['test'])} ({share(again['interval_95'][0])} to {share(again['interval_95'][1])})",
            ]
        )
    header = ["sampler", "trials", "seconds", "best settings", "best of the validations", "trained again: test"]
    return f"{table(header, rows)}\n\n{how_measured(record)} The three hidden layers, corrected."


def share(value: float) -> str:
    """Return a share in percent."""
    return f"{value:.2%}"


if __name__ == "__main__":
    main()
