"""Universal, graphs: the length of the shortest path in a weighted graph. Glance: which shape has the graph?"""

from __future__ import annotations

import heapq
import math
from random import Random

from scigen.problems.procedural.canvas import COLORS, EVEN, glance_script
from scigen.problems.procedural.family import Drawing, Fact, Family, Glance, Label, Params, Statement, distractors
from scigen.records import ImageType, Plan, Subject

LAYOUTS: dict[int, tuple[dict[str, tuple[float, float]], tuple[str, ...]]] = {
    1: ({"A": (0, 1), "B": (2, 2), "C": (2, 0), "D": (4, 1)}, ("AB", "AC", "BC", "BD", "CD")),
    2: (
        {"A": (0, 1), "B": (1.4, 2.2), "C": (1.4, -0.2), "D": (3.2, 2.2), "E": (3.2, -0.2), "F": (4.6, 1)},
        ("AB", "AC", "BC", "BD", "CE", "DE", "DF", "EF"),
    ),
    3: (
        {
            "A": (0, 1),
            "B": (1.3, 2.5),
            "C": (1.6, 1),
            "D": (1.3, -0.5),
            "E": (3.5, 2.5),
            "F": (3.5, -0.5),
            "G": (4.8, 1),
        },
        ("AB", "AC", "AD", "BC", "CD", "BE", "CE", "CF", "DF", "EG", "FG", "EF"),
    ),
}
"""By difficulty: where the nodes are and which pairs are joined; no two edges cross."""


def sample(rng: Random, difficulty: int) -> Params:
    """A graph on a fixed layout with distinct weights whose shortest path from the first node to the last is unique."""
    _, edges = LAYOUTS[difficulty]
    while True:
        weights = rng.sample(range(2, 8 + 6 * difficulty), len(edges))
        p = {"layout": difficulty, "edges": dict(zip(edges, weights, strict=True))}
        best = paths(p)
        if len(best) > 1 and best[0][0] < best[1][0] and len(best[0][1]) > 2:
            return p


def paths(p: Params) -> list[tuple[int, str]]:
    """All simple paths from the first node to the last as (length, nodes), shortest first."""
    nodes = list(LAYOUTS[p["layout"]][0])
    near: dict[str, list[tuple[str, int]]] = {n: [] for n in nodes}
    for (a, b), weight in p["edges"].items():
        near[a].append((b, weight))
        near[b].append((a, weight))
    found, heap = [], [(0, nodes[0])]
    while heap:
        length, path = heapq.heappop(heap)
        if path[-1] == nodes[-1]:
            found.append((length, path))
            continue
        for node, weight in near[path[-1]]:
            if node not in path:
                heapq.heappush(heap, (length + weight, path + node))
    return found


def state(p: Params) -> Statement:
    nodes = list(LAYOUTS[p["layout"]][0])
    length, path = paths(p)[0]
    listed = ", ".join(f"{edge} {weight}" for edge, weight in p["edges"].items())
    asked = f"Find the length of the shortest path from {nodes[0]} to {nodes[-1]}."
    edges = list(p["edges"])[:2]
    return Statement(
        question=f"The edges of a graph have these lengths: {listed}. {asked}",
        multimodal_question=asked,
        answer=str(length),
        leak=(f"shortest = {length}", f"{'-'.join(path)}"),
        facts=(
            Fact(
                "How many nodes has the graph?",
                str(len(nodes)),
                (str(len(nodes) - 1), str(len(nodes) + 1), str(len(nodes) + 2)),
                listed,
            ),
            *(
                Fact(
                    f"What is the length of the edge {edge}?",
                    str(p["edges"][edge]),
                    distractors(Random(p["edges"][edge]), p["edges"][edge], (-1, 1, 2, 3, 5), 0),
                    f"{edge} {p['edges'][edge]}",
                )
                for edge in edges
            ),
        ),
    )


def plan(p: Params) -> Plan:
    places, _ = LAYOUTS[p["layout"]]
    return Plan(
        content=f"A graph with the nodes {', '.join(places)} and the edges {', '.join(p['edges'])}.",
        layout="Nodes as circles: "
        + ", ".join(f"{n} {xy}" for n, xy in places.items())
        + "; straight edges, no crossing.",
        labels="Each length in the middle of its edge, each name in its node.",
        constraints="No path is emphasised and no path's length is written.",
    )


def draw(p: Params) -> Drawing:
    places, _ = LAYOUTS[p["layout"]]
    xs, ys = [x for x, _ in places.values()], [y for _, y in places.values()]
    missing = p.get("missing")
    code = [
        "ax.set_position([0.02, 0.02, 0.96, 0.96])",
        'ax.set_aspect("equal")',
        'ax.axis("off")',
        f"ax.set_xlim({min(xs) - 0.5:g}, {max(xs) + 0.5:g})",
        f"ax.set_ylim({min(ys) - 0.5:g}, {max(ys) + 0.75:g})",
    ]
    labels = []
    for edge, weight in p["edges"].items():
        (x1, y1), (x2, y2) = places[edge[0]], places[edge[1]]
        if edge != missing:
            code.append(f'ax.plot([{x1:g}, {x2:g}], [{y1:g}, {y2:g}], color="0.25", linewidth=1.8)')
        labels.append(
            Label(
                str(weight),
                (x1 + x2) / 2,
                (y1 + y2) / 2,
                wrong=str(_other(weight, p)),
                style={"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}},
            )
        )
    for name, (x, y) in places.items():
        code.append(
            f'ax.add_patch(plt.Circle(({x:g}, {y:g}), 0.24, facecolor="#dbe7f3", edgecolor="black", lw=1.8, zorder=3))'
        )
        labels.append(Label(name, x, y, style={"fontsize": 13, "style": "italic"}))
    return Drawing("\n".join(code), tuple(labels))


def _other(weight: int, p: Params) -> int:
    """A length near `weight` that no edge has."""
    return next(weight + step for step in range(3, 40) if weight + step not in p["edges"].values())


def distort(p: Params) -> Params:
    """The first edge of the shortest path is not drawn."""
    path = paths(p)[0][1]
    return {**p, "missing": "".join(sorted(path[:2]))}


SHAPES = ("line", "star", "ring", "tree")


def glance_sample(rng: Random, answer: str) -> Params:
    return {
        "shape": answer,
        "nodes": rng.randint(4, 6),
        "turn": rng.randrange(-20, 21, 5),
        "size": rng.randrange(32, 37, 2),
        "x": rng.choice(EVEN[2:-2]),
        "y": rng.choice(EVEN[2:-2]),
        "color": rng.choice(COLORS[1:]),
    }


def glance_graph(p: Params) -> tuple[list[tuple[float, float]], list[tuple[int, int]]]:
    """Places of the nodes about the origin in units of `size`, and the joined pairs."""
    n = int(p["nodes"])
    circle = [(math.cos(2 * math.pi * k / n), math.sin(2 * math.pi * k / n)) for k in range(n)]
    match p["shape"]:
        case "line":
            return [(2 * k / (n - 1) - 1, 0.0) for k in range(n)], [(k, k + 1) for k in range(n - 1)]
        case "star":
            return [*circle, (0.0, 0.0)], [(k, n) for k in range(n)]
        case "ring":
            return circle, [(k, (k + 1) % n) for k in range(n)]
        case _:
            places = [(0.0, 0.9), (-0.55, 0.0), (0.55, 0.0), (-0.85, -0.9), (0.85, -0.9), (-0.25, -0.9), (0.25, -0.9)]
            return places[: n + 1], [(0, 1), (0, 2), (1, 3), (2, 4), (1, 5), (2, 6)][:n]


def glance_draw(p: Params) -> str:
    places, pairs = glance_graph(p)
    c, s = (p["size"] * f(math.radians(p["turn"])) for f in (math.cos, math.sin))
    at = [(round(48 + p["x"] + c * x - s * y, 1), round(48 + p["y"] + s * x + c * y, 1)) for x, y in places]
    xs = [v for a, b in pairs for v in (at[a][0], at[b][0], "np.nan")]
    ys = [v for a, b in pairs for v in (at[a][1], at[b][1], "np.nan")]
    return glance_script(f"""
        ax.plot([{", ".join(map(str, xs))}], [{", ".join(map(str, ys))}], color="black", linewidth=2)
        ax.plot({[x for x, _ in at]}, {[y for _, y in at]}, "o", color="{p["color"]}", markersize=8)
    """)


def solve(p: Params) -> float:
    """Dijkstra's algorithm of networkx."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_weighted_edges_from((a, b, w) for (a, b), w in p["edges"].items())
    nodes = list(LAYOUTS[p["layout"]][0])
    return float(nx.dijkstra_path_length(graph, nodes[0], nodes[-1]))


FAMILY = Family(
    name="weighted_graph",
    subject=Subject.UNIVERSAL,
    image_type=ImageType.GRAPH_FLOW,
    sample=sample,
    state=state,
    plan=plan,
    draw=draw,
    distort=distort,
    solve=solve,
    glance=Glance(
        question="Which shape has the graph?",
        answers=SHAPES,
        sample=glance_sample,
        draw=glance_draw,
        content=("shape", "nodes", "turn", "size", "x", "y"),
    ),
)
