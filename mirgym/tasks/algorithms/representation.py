"""Graphs in several representations, and loops over neighbours that fit each.

``neighbours (v : u) { … }`` in a text is a loop over the edges from ``u``, in which ``v``
is the other end and ``cost`` the weight, however the style keeps the graph.
"""

from __future__ import annotations

import re

from .rewrite import matching
from .writer import Writer

Edges = list[tuple[int, int, int]]

_OPEN = {
    "matrix": "for (int V = 0; V < n; V++) { if (M(g, U, V) > 0) { int cost = (int)M(g, U, V);",
    "lists": "for (int l = head[U]; l >= 0; l = next[l]) { { int V = to[l], cost = weight[l];",
    "rows": "for (int l = start[U]; l < start[U + 1]; l++) { { int V = to[l], cost = weight[l];",
    "edges": """for (int l = 0; l < m; l++) { if (F(e, l, u) == U TWICE) {
        int V = OTHER, cost = F(e, l, w);""",
}

_PARAMETERS = {
    "matrix": "MAT(T, g), I n",
    "lists": "int *head, int *next, int *to, int *weight, I n",
    "rows": "int *start, int *to, int *weight, I n",
    "edges": "TAB(e), I m, I n",
}

_BUILD = {
    "matrix": """for (I i = 0; i < m; i++) {
        int u = F(e, i, u), v = F(e, i, v);
        if (u != v && (M(g, u, v) == 0 || M(g, u, v) > F(e, i, w))) {
            M(g, u, v) = F(e, i, w);
            BOTH
        }
    }""",
    "lists": """int lists = 0;
    for (I i = 0; i < n; i++) { head[i] = -1; }
    for (I i = 0; i < m; i++) {
        int u = F(e, i, u), v = F(e, i, v);
        ANY(to[lists] = v, weight[lists] = F(e, i, w), next[lists] = head[u]);
        head[u] = lists++;
        BOTH
    }""",
    "rows": """for (I i = 0; i < m; i++) { start[F(e, i, u) + 1]++; BOTH }
    for (I i = 0; i < n; i++) { start[i + 1] += start[i]; filled[i] = start[i]; }
    for (I i = 0; i < m; i++) {
        int u = F(e, i, u), v = F(e, i, v);
        ANY(to[filled[u]] = v, weight[filled[u]] = F(e, i, w));
        filled[u]++;
        AGAIN
    }""",
    "edges": "",
}

_BOTH = {  # for graphs without directions
    "matrix": "M(g, v, u) = F(e, i, w);",
    "lists": """ANY(to[lists] = u, weight[lists] = F(e, i, w), next[lists] = head[v]);
        head[v] = lists++;""",
    "rows": "start[F(e, i, v) + 1]++;",
    "edges": "",
}

_AGAIN = "ANY(to[filled[v]] = u, weight[filled[v]] = F(e, i, w));\nfilled[v]++;"


def read_graph(w: Writer, directed: bool, representation: bool = True) -> tuple[int, Edges]:
    """Read edges e (u, v, w) and build the representation of the style."""
    n = w.size("n", 5, 14)
    m = w.size("m", n - 1, 3 * n)
    edges = w.input_table("e", "m", {"u": (0, n - 1), "v": (0, n - 1), "w": (1, 20)})
    if representation:
        build(w, n, m, directed)
    return n, [(row[0], row[1], row[2]) for row in edges]


def build(w: Writer, n: int, m: int, directed: bool) -> None:
    """Declare the representation and fill it from the edges e."""
    kind = w.style.graph
    w.has_graph = True
    if kind == "matrix":
        w.matrix("g", "T", n, n)
    elif kind == "lists":
        sizes = {"head": n, "next": 2 * m, "to": 2 * m, "weight": 2 * m}
    elif kind == "rows":
        sizes = {"start": n + 1, "filled": n + 1, "to": 2 * m, "weight": 2 * m}
    if kind in ("lists", "rows"):
        for name, size in sizes.items():
            w.array(name, "int", size)
    text = _BUILD[kind].replace("BOTH", "" if directed else _BOTH[kind])
    w.work(text.replace("AGAIN", "" if directed else _AGAIN))


def _neighbours(text: str, kind: str, directed: bool) -> str:
    """Write the loops over neighbours out."""
    while head := re.search(r"neighbours \((\w+) : (.+?)\) \{", text):
        v, u = head[1], head[2]
        end = matching(text, head.end() - 1)
        opening = re.sub(r"\bV\b", v, re.sub(r"\bU\b", u, _OPEN[kind]))
        twice = "" if directed else f"|| F(e, l, v) == {u}"
        other = "F(e, l, v)" if directed else f"F(e, l, u) == {u} ? F(e, l, v) : F(e, l, u)"
        opening = opening.replace("TWICE", twice).replace("OTHER", other)
        text = text[: head.start()] + opening + text[head.end() : end] + "} }" + text[end + 1 :]
    return text


def walk(w: Writer, text: str, directed: bool, outputs: str, result: str = "") -> str:
    """The call of a text over the representation; ``GRAPH`` in it are its parameters."""
    kind = w.style.graph
    parameters, names = _PARAMETERS[kind], _names(w)
    if w.style.sizes == "literal":  # a literal is no parameter
        parameters, names = (re.sub(r", (I )?[mn]\b", "", part) for part in (parameters, names))
    text = text.replace("GRAPH_ARGUMENTS", names).replace("GRAPH", parameters)
    return w.call(
        w.rng.choice(("run", "explore", "visit_all", "solve")),
        f"{_PARAMETERS[kind]}, {outputs}",
        _neighbours(text, kind, directed),
        result,
    )


def _names(w: Writer) -> str:
    """The representation as arguments."""
    table = "e" if w.style.records == "aos" else "e_u, e_v, e_w"
    return {
        "matrix": "g, n",
        "lists": "head, next, to, weight, n",
        "rows": "start, to, weight, n",
        "edges": f"{table}, m, n",
    }[w.style.graph]
