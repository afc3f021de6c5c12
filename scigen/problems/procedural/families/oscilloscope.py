"""Physics, waves: the screen of an oscilloscope; period, voltages, frequency or the phase between two traces asked."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from random import Random
from typing import Any

from scigen.problems.procedural.family import Drawing, Fact, Family, Label, Params, Statement, number
from scigen.records import ImageType, Plan, Subject

VOLTS = ("10 mV", "20 mV", "50 mV", "0.1 V", "0.2 V", "0.5 V", "1 V", "2 V", "5 V")
TIMES = ("10 µs", "20 µs", "50 µs", "0.1 ms", "0.2 ms", "0.5 ms", "1 ms", "2 ms", "5 ms", "10 ms")
SHAPES = ("sine", "square", "triangle")
ASKED = {1: ("period", "peak"), 2: ("frequency", "effective"), 3: ("phase", "ratio")}
WORDS = {
    "period": "period of the signal",
    "peak": "peak-to-peak voltage of the signal",
    "frequency": "frequency of the signal",
    "effective": "effective (rms) voltage of the signal",
    "phase": "phase by which channel 2 lags behind channel 1",
    "ratio": "ratio of the amplitude of channel 2 to that of channel 1",
}
PERIODS = {"phase": (3.6, 4.0, 4.8, 6.0, 7.2, 8.0)}
"""Periods in divisions for which a lag in steps of 0.2 divisions is a whole number of degrees."""


def sample(rng: Random, difficulty: int) -> Params:
    asked = rng.choice(ASKED[difficulty])
    while True:
        period = rng.choice(PERIODS.get(asked, tuple(k / 5 for k in range(10, 36))))
        lag = rng.randint(2, 18) / 5
        p: dict[str, Any] = {
            "asked": asked,
            "shape": "sine" if difficulty == 3 or asked == "effective" else rng.choice(SHAPES),
            "period": period,
            "height": rng.randint(6, 18) / 5,
            "start": rng.randint(-2, 2) / 2,
            "volts": rng.choice(VOLTS),
            "time": rng.choice(TIMES),
            "drawn": 1.0,
        }
        if difficulty == 3:
            p["second"] = {"height": rng.randint(4, 18) / 5, "volts": rng.choice(VOLTS), "lag": lag}
            if not 20 <= 360 * lag / period <= 160 or abs(p["height"] - p["second"]["height"]) < 0.5:
                continue
            if p["second"]["volts"].split()[1] != p["volts"].split()[1] or p["second"]["volts"] == p["volts"]:
                continue
        if result(p)[1] not in {p["volts"].split()[0], p["time"].split()[0]}:
            return p


def exact(value: str | float) -> Fraction:
    return Fraction(str(value).split()[0])


def result(p: Params) -> tuple[str, str, str]:
    """Symbol, value and unit of what is asked."""
    period, height = exact(p["period"]), exact(p["height"])
    per_time, time_unit = exact(p["time"]), p["time"].split()[1]
    per_volt, volt_unit = exact(p["volts"]), p["volts"].split()[1]
    match p["asked"]:
        case "period":
            return "T", number(float(period * per_time), 3), time_unit
        case "peak":
            return r"V_\mathrm{pp}", number(float(2 * height * per_volt), 3), volt_unit
        case "frequency":
            return "f", f"{1000 / float(period * per_time):.1f}", "kHz" if time_unit == "µs" else "Hz"
        case "effective":
            return r"V_\mathrm{rms}", f"{float(height * per_volt) / sqrt(2):.2f}", volt_unit
        case "phase":
            return r"\varphi", str(360 * exact(p["second"]["lag"]) / period), "°"
        case _:
            second = exact(p["second"]["height"]) * exact(p["second"]["volts"])
            return "V_2/V_1", f"{float(second / (height * per_volt)):.2f}", ""


def solve(p: Params) -> float:
    """Measured on the sampled trace: crossings of the middle line, extremes, the mean square over a period."""
    import numpy as np

    # Every crossing lies on a multiple of 0.1 divisions, half-way between two samples.
    step = 0.001
    x = (np.arange(20_000) + 0.5) * step
    turn = 2 * np.pi * (x - p["start"] - 1) / p["period"]
    made: dict[str, Any] = {
        "sine": np.sin,
        "square": lambda a: np.where(np.sin(a) >= 0, 1.0, -1.0),
        "triangle": lambda a: np.abs((a / np.pi + 1.5) % 2 - 1) * 2 - 1,
    }

    def rises(y: Any) -> Any:
        """Places where the trace rises through the middle line."""
        i = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
        return x[i] - y[i] * step / (y[i + 1] - y[i])

    trace = p["height"] * made[p["shape"]](turn)
    period = float(np.diff(rises(trace)).mean())
    seconds, volts = float(p["time"].split()[0]), float(p["volts"].split()[0])
    match p["asked"]:
        case "period":
            return round(period * seconds, 6)
        case "peak":
            return float(np.ptp(trace)) * volts
        case "frequency":
            return 1000 / (round(period, 6) * seconds)
        case "effective":
            return float(np.sqrt(np.mean(trace[: round(period / step)] ** 2))) * volts
    other = p["second"]["height"] * np.sin(turn - 2 * np.pi * p["second"]["lag"] / p["period"])
    if p["asked"] == "phase":
        first, then = rises(trace)[0], rises(other)
        return float(round(360 * then[then > first][0] / period - 360 * first / period, 4))
    return float(np.ptp(other) / np.ptp(trace)) * float(p["second"]["volts"].split()[0]) / volts


def state(p: Params) -> Statement:
    symbol, value, unit = result(p)
    second = p.get("second")
    places = {
        "frequency": ", to one decimal place",
        "effective": ", to two decimal places",
        "ratio": ", to two decimal places",
    }.get(p["asked"], "")
    name = {"°": " in degrees", "": ""}.get(unit, f" in {unit}")
    want = f"Find the {WORDS[p['asked']]}{name}{places}."
    high = f"{number(p['height'])} divisions"
    more = ""
    if second:
        more = (
            f" Channel 2, set to {second['volts']} per division, shows one with the same period, "
            f"{number(second['height'])} divisions from the middle line to the crest, which crosses the middle line "
            f"{number(second['lag'])} divisions later."
        )
    i, j = VOLTS.index(p["volts"]), TIMES.index(p["time"])
    others = [s for s in (*SHAPES, "sawtooth") if s != p["shape"]]
    facts = [
        Fact(
            "How many volts does one division of channel 1 stand for?",
            p["volts"],
            (VOLTS[i - 1], VOLTS[i - 2], VOLTS[i - 3]),
            f"CH1 {p['volts']}/div",
        ),
        Fact(
            "How much time does one division stand for?",
            p["time"],
            (TIMES[j - 1], TIMES[j - 2], TIMES[j - 3]),
            f"{p['time']}/div",
        ),
        Fact(
            "How far above the middle line does the trace of channel 1 reach?",
            high,
            tuple_of(f"{number(p['height'] + d)} divisions" for d in (0.4, 0.8, -0.6)),
            high,
        ),
    ]
    if second:
        facts.append(Fact("How many traces are on the screen?", "2", ("1", "3", "4"), "CH1 and CH2"))
    else:
        facts.append(Fact("Which form has the signal?", p["shape"], (others[0], others[1], others[2]), p["shape"]))
    return Statement(
        question=f"An oscilloscope shows a {p['shape']} signal on channel 1: {high} from the middle line to the crest, "
        f"{number(p['period'])} divisions from crest to crest. It is set to {p['volts']} per division and {p['time']} "
        f"per division.{more} {want}",
        multimodal_question=f"The figure shows the screen of an oscilloscope. {want}",
        answer=value,
        leak=(f"${symbol}$ = {value} {unit}".replace(" °", "°").strip(), f"{value} {unit}".strip()),
        facts=tuple(facts),
    )


def tuple_of(texts: Any) -> tuple[str, str, str]:
    a, b, c = texts
    return a, b, c


def plan(p: Params) -> Plan:
    second = p.get("second")
    more = f" and CH2 {second['volts']}/div" if second else ""
    return Plan(
        content="The screen of an oscilloscope, 10 by 8 divisions, with "
        f"{'two sine signals' if second else 'a ' + p['shape'] + ' signal'}.",
        layout=f"Trace centred on the middle line, {number(p['height'])} divisions high, period {number(p['period'])} "
        "divisions, to scale; fine marks every 0.2 divisions on both middle lines.",
        labels=f"CH1 {p['volts']}/div{more} and {p['time']}/div below the screen, in the colours of the traces.",
        constraints=f"The trace repeats exactly. The {WORDS[p['asked']]} is asked and must not be shown.",
    )


def draw(p: Params) -> Drawing:
    second = p.get("second")
    period = p["period"] * p["drawn"]
    # Counted from the left edge of the screen, so that the first rise lies on or half-way between two lines.
    start = p["start"] - 4
    form = {
        "sine": "np.sin(turn)",
        "square": "np.where(turn % (2 * np.pi) < np.pi, 1.0, -1.0)",
        "triangle": "2 / np.pi * np.arcsin(np.sin(turn))",
    }[p["shape"]]
    traces = [(p["height"], 0.0, "#15599b")]
    if second:
        traces.append((second["height"], second["lag"], "#c2410c"))
    body = f"""
        ax.set_position([0, 0, 1, 1])
        ax.set_aspect("equal")
        ax.axis("off")
        ax.fill([-5, 5, 5, -5], [-4, -4, 4, 4], color="#f3f7f2")
        for k in range(-5, 6):
            ax.plot([k, k], [-4, 4], color="0.72", linewidth=0.8)
        for k in range(-4, 5):
            ax.plot([-5, 5], [k, k], color="0.72", linewidth=0.8)
        ax.plot([-5, 5], [0, 0], color="0.4", linewidth=1.1)
        ax.plot([0, 0], [-4, 4], color="0.4", linewidth=1.1)
        for k in np.arange(-24, 25) / 5:
            ax.plot([k, k], [-0.09, 0.09], color="0.4", linewidth=0.8)
        for k in np.arange(-19, 20) / 5:
            ax.plot([-0.09, 0.09], [k, k], color="0.4", linewidth=0.8)
        x = np.linspace(-5, 5, 2001)
        for height, lag, color in {traces}:
            turn = 2 * np.pi * (x - {start:g} - lag) / {period:g}
            ax.plot(x, height * {form}, color=color, linewidth=2.2)
        ax.plot([-5, 5, 5, -5, -5], [-4, -4, 4, 4, -4], color="black", linewidth=2.4, solid_joinstyle="miter")
        ax.set_xlim(-5.3, 5.3)
        ax.set_ylim(-5.05, 4.3)
    """

    def other(text: str, scale: tuple[str, ...]) -> str:
        return scale[(scale.index(text) + 4) % len(scale)]

    at = -2.6 if not second else -3.3
    labels = [
        Label(
            f"CH1 {p['volts']}/div",
            at,
            -4.5,
            wrong=f"CH1 {other(p['volts'], VOLTS)}/div",
            style={"color": "#15599b"},
        )
    ]
    if second:
        labels.append(
            Label(
                f"CH2 {second['volts']}/div",
                0.35,
                -4.5,
                wrong=f"CH2 {other(second['volts'], VOLTS)}/div",
                style={"color": "#c2410c"},
            )
        )
    labels.append(Label(f"{p['time']}/div", -at + 0.3, -4.5, wrong=f"{other(p['time'], TIMES)}/div"))
    return Drawing(body, tuple(labels), size=(5.3, 4.67))


def distort(p: Params) -> Params:
    """The traces have another period than the problem says."""
    return {**p, "drawn": 0.7}


FAMILY = Family(
    name="oscilloscope",
    subject=Subject.PHYSICS,
    image_type=ImageType.WAVEFORM,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
)
