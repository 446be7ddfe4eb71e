"""Graphs: the same texts over four representations (``representation.py``)."""

from __future__ import annotations

from math import gcd, inf

from .family import Algorithm
from .representation import Edges, build, read_graph, walk
from .writer import Writer

_INT = ("int", "short", "long")


def _distances(n: int, edges: Edges, unit: bool = False) -> list[int]:
    far = [0.0] + [inf] * (n - 1)
    for _ in range(n):
        for u, v, cost in edges:
            far[v] = min(far[v], far[u] + (1 if unit else cost))
    return [-1 if d == inf else int(d) for d in far]


_NO_SHORTCUT = """
if (dist[0] != 0) { FAIL(); }
for (I i = 0; i < m; i++) {
    int from = dist[F(e, i, u)], to_there = dist[F(e, i, v)], step = STEP;
    if (from >= 0 && (to_there < 0 || to_there > from + step)) { FAIL(); }
}
for (I v = 1; v < n; v++) {
    int reached = dist[v] < 0;
    for (I i = 0; i < m; i++) {
        if (F(e, i, v) == v && dist[F(e, i, u)] >= 0 && F(e, i, u) != v) {
            reached |= dist[F(e, i, u)] + STEP == dist[v];
        }
    }
    if (!reached) { FAIL(); }
}"""


def _bfs(w: Writer, text: str) -> None:
    """Edges from node 0 to each node, -1 where there is no way."""
    n, edges = read_graph(w, directed=True)
    for name in ("dist", "queue", "level"):
        w.array(name, "int", n + 1)
    w.work(walk(w, text, True, "int *dist, int *queue, int *level"))
    w.check(_NO_SHORTCUT.replace("STEP", "1"))
    w.show("dist", "n", _distances(n, edges, unit=True))


def _shortest(w: Writer, text: str) -> None:
    """Length of the shortest way from node 0 to each node, -1 where there is none."""
    n, edges = read_graph(w, directed=True)
    for name in ("dist", "done", "queue"):
        w.array(name, "int", n * n * 3 + 1 if name == "queue" else n)
    w.work(walk(w, text, True, "int *dist, int *done, int *queue"))
    w.check(_NO_SHORTCUT.replace("STEP", "F(e, i, w)"))
    w.show("dist", "n", _distances(n, edges))


def _bellman_ford(w: Writer, text: str) -> None:
    n, edges = read_graph(w, directed=True, representation=False)
    w.array("dist", "int", n)
    w.array("before", "int", n)
    w.work(w.call("relax_all", "TAB(e), I m, I n, int *dist, int *before", text))
    w.check(_NO_SHORTCUT.replace("STEP", "F(e, i, w)"))
    w.show("dist", "n", _distances(n, edges))


def _labels(n: int, edges: Edges) -> list[int]:
    """The smallest node of each node's component."""
    label = list(range(n))
    for _ in range(n):
        for u, v, _cost in edges:
            label[u] = label[v] = min(label[u], label[v])
    return label


_SAME_LABELS = """
for (I i = 0; i < m; i++) {
    if (label[F(e, i, u)] != label[F(e, i, v)]) { FAIL(); }
}
for (I i = 0; i < n; i++) {
    if (label[i] < 0 || label[i] > i || label[label[i]] != label[i]) { FAIL(); }
    int reached = label[i] == i;
    for (I j = 0; j < m; j++) { reached |= F(e, j, u) == i || F(e, j, v) == i; }
    if (!reached) { FAIL(); }
}"""


def _dfs(w: Writer, text: str) -> None:
    """Components of an undirected graph, by their smallest node."""
    n, edges = read_graph(w, directed=False)
    w.array("label", "int", n)
    w.array("stack", "int", 2 * w.sizes["m"] + n + 1)
    w.array("place", "int", n)
    w.work(walk(w, text, False, "int *label, int *stack, int *place"))
    w.check(_SAME_LABELS)
    w.show("label", "n", _labels(n, edges))


def _union_find(w: Writer, text: str) -> None:
    n, edges = read_graph(w, directed=False, representation=False)
    w.array("parent", "int", n)
    w.array("size", "int", n)
    w.array("label", "int", n)
    parameters = "TAB(e), I m, I n, int *parent, int *size, int *label"
    w.work(w.call("unite_all", parameters, text))
    w.check(_SAME_LABELS)
    w.show("label", "n", _labels(n, edges))


def _floyd(w: Writer, text: str) -> None:
    n, edges = read_graph(w, directed=True, representation=False)
    w.matrix("d", "T", n, n)
    w.work("""
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < n; j++) { M(d, i, j) = i == j ? 0 : 9999; }
        }
        for (I i = 0; i < m; i++) {
            if (F(e, i, w) < M(d, F(e, i, u), F(e, i, v))) {
                M(d, F(e, i, u), F(e, i, v)) = F(e, i, w);
            }
        }""")
    w.work(w.call(w.rng.choice(("all_pairs", "close")), "MAT(T, d), I n", text))
    w.check("""
        for (I u = 0; u < n; u++) {
            for (I i = 0; i < m; i++) {
                if (M(d, u, F(e, i, v)) > M(d, u, F(e, i, u)) + F(e, i, w)) { FAIL(); }
            }
            if (M(d, u, u) != 0) { FAIL(); }
        }""")
    far = [[0 if i == j else 9999 for j in range(n)] for i in range(n)]
    for u, v, cost in edges:
        far[u][v] = min(far[u][v], cost)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                far[i][j] = min(far[i][j], far[i][k] + far[k][j])
    w.show_matrix("d", "n", "n", far)


def _topological(w: Writer, text: str) -> None:
    """Edges on the longest way to each node of a graph without cycles."""
    n = w.size("n", 5, 14)
    m = w.size("m", n - 1, 3 * n)
    factor = w.rng.choice([k for k in range(1, n) if gcd(k, n) == 1])
    rows = w.input_table("e", "m", {"u": (0, n - 2), "v": (1, 4), "w": (1, 1)})
    w.work(f"""
        for (I i = 0; i < m; i++) {{
            int u = F(e, i, u), v = u + F(e, i, v);
            if (v >= n) {{ v = n - 1; }}
            ANY(F(e, i, u) = u * {factor} % (int)n, F(e, i, v) = v * {factor} % (int)n);
        }}""")
    build(w, n, m, directed=True)
    for name in ("level", "queue", "degree"):
        w.array(name, "int", n + 1)
    w.work(walk(w, text, True, "int *level, int *queue, int *degree"))
    w.check("""
        for (I i = 0; i < m; i++) {
            if (level[F(e, i, v)] <= level[F(e, i, u)]) { FAIL(); }
        }
        for (I v = 0; v < n; v++) {
            int reached = level[v] == 0;
            for (I i = 0; i < m; i++) {
                reached |= F(e, i, v) == v && level[F(e, i, u)] + 1 == level[v];
            }
            if (!reached) { FAIL(); }
        }""")
    levels = [0] * n
    for u in range(n):
        for low, step, _ in rows:
            if low == u:
                v = min(u + step, n - 1)
                levels[v * factor % n] = max(levels[v * factor % n], levels[u * factor % n] + 1)
    w.show("level", "n", levels)


def _spanning_tree(w: Writer, text: str) -> None:
    """Weight of a minimum spanning tree; a ring of heavy edges keeps all nodes connected."""
    n, edges = read_graph(w, directed=False, representation=False)
    w.matrix("g", "T", n, n)
    w.work("""
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < n; j++) { M(g, i, j) = 100; }
        }
        for (I i = 0; i < m; i++) {
            int u = F(e, i, u), v = F(e, i, v);
            if (F(e, i, w) < M(g, u, v)) { ANY(M(g, u, v) = F(e, i, w), M(g, v, u) = F(e, i, w)); }
        }
        long r = 0;""")
    for name in ("best", "inside", "parent"):
        w.array(name, "int", n)
    parameters = "MAT(T, g), I n, int *best, int *inside, int *parent"
    w.work(w.call("tree_weight", parameters, text, "long r"))
    w.check("""
        int group[16];
        long expected = 0;
        for (int i = 0; i < n; i++) { group[i] = i; }
        for (int weight = 1; weight <= 100; weight++) {
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    if (M(g, i, j) == weight && group[i] != group[j]) {
                        int old = group[j], now = group[i];
                        for (int k = 0; k < n; k++) { if (group[k] == old) { group[k] = now; } }
                        expected += weight;
                    }
                }
            }
        }
        if (expected != r) { FAIL(); }""")
    group, total = list(range(n)), 0
    heavy = [(u, v, 100) for u in range(n) for v in range(n)]
    for u, v, cost in sorted(edges, key=lambda edge: edge[2]) + heavy:
        if group[u] != group[v]:
            total += cost
            group = [group[u] if g == group[v] else g for g in group]
    w.show_value("r", total)


ALGORITHMS = (
    Algorithm("breadth-first search", _bfs, _INT),
    Algorithm("dijkstra", _shortest, _INT),
    Algorithm("bellman ford", _bellman_ford, ("int",)),
    Algorithm("depth-first search", _dfs, _INT),
    Algorithm("union find", _union_find, ("int",)),
    Algorithm("floyd warshall", _floyd, _INT),
    Algorithm("topological levels", _topological, _INT),
    Algorithm("spanning tree", _spanning_tree, _INT),
)
