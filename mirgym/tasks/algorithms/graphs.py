"""Graphs: the same texts over four representations.

``neighbours (v : u) { … }`` in a text is a loop over the edges from ``u``, in which ``v``
is the other end and ``cost`` the weight, however the style keeps the graph.
"""

from __future__ import annotations

import re
from math import gcd, inf

from .family import Algorithm
from .rewrite import matching
from .writer import Writer

_INT = ("int", "short", "long")
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
        if (u != v && (M(g, u, v) == 0 || M(g, u, v) > F(e, i, w))) { M(g, u, v) = F(e, i, w); BOTH }
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


def _graph(w: Writer, directed: bool, representation: bool = True) -> tuple[int, Edges]:
    """Read edges e (u, v, w) and build the representation of the style."""
    n = w.size("n", 5, 14)
    m = w.size("m", n - 1, 3 * n)
    edges = w.input_table("e", "m", {"u": (0, n - 1), "v": (0, n - 1), "w": (1, 20)})
    if representation:
        _build(w, n, m, directed)
    return n, [(row[0], row[1], row[2]) for row in edges]


def _build(w: Writer, n: int, m: int, directed: bool) -> None:
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
    build = _BUILD[kind].replace("BOTH", "" if directed else _BOTH[kind])
    w.work(build.replace("AGAIN", "" if directed else _AGAIN))


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


def _walk(w: Writer, text: str, directed: bool, outputs: str, result: str = "") -> str:
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
    n, edges = _graph(w, directed=True)
    for name in ("dist", "queue", "level"):
        w.array(name, "int", n + 1)
    w.work(_walk(w, text, True, "int *dist, int *queue, int *level"))
    w.check(_NO_SHORTCUT.replace("STEP", "1"))
    w.show("dist", "n", _distances(n, edges, unit=True))


def _shortest(w: Writer, text: str) -> None:
    """Length of the shortest way from node 0 to each node, -1 where there is none."""
    n, edges = _graph(w, directed=True)
    for name in ("dist", "done", "queue"):
        w.array(name, "int", n * n * 3 + 1 if name == "queue" else n)
    w.work(_walk(w, text, True, "int *dist, int *done, int *queue"))
    w.check(_NO_SHORTCUT.replace("STEP", "F(e, i, w)"))
    w.show("dist", "n", _distances(n, edges))


def _bellman_ford(w: Writer, text: str) -> None:
    n, edges = _graph(w, directed=True, representation=False)
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
    n, edges = _graph(w, directed=False)
    w.array("label", "int", n)
    w.array("stack", "int", 2 * w.sizes["m"] + n + 1)
    w.array("place", "int", n)
    w.work(_walk(w, text, False, "int *label, int *stack, int *place"))
    w.check(_SAME_LABELS)
    w.show("label", "n", _labels(n, edges))


def _union_find(w: Writer, text: str) -> None:
    n, edges = _graph(w, directed=False, representation=False)
    w.array("parent", "int", n)
    w.array("size", "int", n)
    w.array("label", "int", n)
    parameters = "TAB(e), I m, I n, int *parent, int *size, int *label"
    w.work(w.call("unite_all", parameters, text))
    w.check(_SAME_LABELS)
    w.show("label", "n", _labels(n, edges))


def _floyd(w: Writer, text: str) -> None:
    n, edges = _graph(w, directed=True, representation=False)
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
    _build(w, n, m, directed=True)
    for name in ("level", "queue", "degree"):
        w.array(name, "int", n + 1)
    w.work(_walk(w, text, True, "int *level, int *queue, int *degree"))
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
    n, edges = _graph(w, directed=False, representation=False)
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


BFS = {
    "queue": """
        int first = 0, last = 0;
        for (I i = 0; i < n; i++) { dist[i] = -1; }
        ANY(dist[0] = 0, queue[last++] = 0);
        while (first < last) {
            int u = queue[first++];
            neighbours (v : u) {
                if (dist[v] < 0) { dist[v] = dist[u] + 1; queue[last++] = v; COUNT(); }
            }
        }
        level[0] = last;""",
    "marks": """
        int first = 0, count = 1;
        for (I i = 0; i < n; i++) { level[i] = 0; dist[i] = -1; }
        ANY(queue[0] = 0, level[0] = 1, dist[0] = 0);
        do {
            int u = queue[first % n];
            ANY(first++, count--);
            neighbours (v : u) {
                if (level[v] == 0) {
                    ANY(level[v] = 1, dist[v] = dist[u] + 1, queue[(first + count) % n] = v);
                    count++;
                    COUNT();
                }
            }
        } while (count > 0);""",
    "two levels": """
        int *now = queue, *later = level;
        int count = 1, depth = 0;
        for (I i = 0; i < n; i++) { dist[i] = -1; }
        ANY(now[0] = 0, dist[0] = 0);
        while (count > 0) {
            int found = 0;
            depth++;
            for (int i = 0; i < count; i++) {
                int u = now[i];
                neighbours (v : u) {
                    if (dist[v] == -1) { dist[v] = depth; later[found++] = v; COUNT(); }
                }
            }
            int *kept = now;
            ANY(now = later, count = found);
            later = kept;
        }""",
    "sweeps": """
        int depth = 0, grown = 1;
        for (I i = 0; i < n; i++) { dist[i] = i == 0 ? 0 : -1; }
        while (grown) {
            grown = 0;
            for (I u = 0; u < n; u++) {
                if (dist[u] == depth) {
                    neighbours (v : u) {
                        if (dist[v] < 0) { ANY(dist[v] = depth + 1, grown = 1); COUNT(); }
                    }
                }
            }
            depth++;
        }
        ANY(queue[0] = 0, level[0] = depth);""",
}

DIJKSTRA = {
    "scan": """
        for (I i = 0; i < n; i++) { ANY(dist[i] = -1, done[i] = 0); }
        dist[0] = 0;
        for (I turn = 0; turn < n; turn++) {
            int u = -1;
            for (int i = 0; i < n; i++) {
                if (!done[i] && dist[i] >= 0 && (u < 0 || dist[i] < dist[u])) { u = i; }
            }
            if (u < 0) { break; }
            done[u] = 1;
            COUNT();
            neighbours (v : u) {
                if (dist[v] < 0 || dist[u] + cost < dist[v]) { dist[v] = dist[u] + cost; }
            }
        }
        queue[0] = 0;""",
    "open list": """
        int open = 0;
        for (I i = 0; i < n; i++) { dist[i] = 30000; }
        ANY(dist[0] = 0, queue[open++] = 0, done[0] = 1);
        while (open > 0) {
            int at = 0;
            for (int i = 1; i < open; i++) { if (dist[queue[i]] < dist[queue[at]]) { at = i; } }
            int u = queue[at];
            queue[at] = queue[--open];
            done[u] = 2;
            neighbours (v : u) {
                if (done[v] < 2) {
                    if (dist[u] + cost < dist[v]) { dist[v] = dist[u] + cost; }
                    if (done[v] == 0) { done[v] = 1; queue[open++] = v; COUNT(); }
                }
            }
        }
        for (I i = 0; i < n; i++) { if (dist[i] == 30000) { dist[i] = -1; } }""",
    "buckets": """
        int left = (int)n, now = 0;
        for (I i = 0; i < n; i++) { dist[i] = i > 0 ? 9999 : 0; }
        while (left > 0 && now < 400) {
            for (int u = 0; u < n; u++) {
                if (dist[u] != now || done[u]) { continue; }
                ANY(done[u] = 1, left--);
                neighbours (v : u) {
                    int far = now + cost;
                    if (far < dist[v]) { dist[v] = far; COUNT(); }
                }
            }
            now++;
        }
        each (int x : dist, n) { if (x == 9999) { x = -1; } }
        queue[0] = left;""",
    "heap": """
        int heap = 1;
        for (I i = 0; i < n; i++) { dist[i] = -1; }
        queue[1] = 0;
        while (heap > 0) {
            int top = queue[1], hole = 1, child = 2, moved = queue[heap--];
            while (child <= heap) {
                if (child < heap && queue[child + 1] < queue[child]) { child++; }
                if (queue[child] >= moved) { break; }
                queue[hole] = queue[child];
                hole = child;
                child = 2 * hole;
            }
            queue[hole] = moved;
            int u = top % 16, far = top / 16;
            if (done[u]) { continue; }
            ANY(done[u] = 1, dist[u] = far);
            neighbours (v : u) {
                if (!done[v]) {
                    int at = ++heap, key = (far + cost) * 16 + v;
                    while (at > 1 && queue[at / 2] > key) { queue[at] = queue[at / 2]; at /= 2; COUNT(); }
                    queue[at] = key;
                }
            }
        }""",
}

BELLMAN_FORD = {
    "rounds": """
        for (I i = 0; i < n; i++) { dist[i] = -1; }
        dist[0] = 0;
        for (I round = 1; round < n; round++) {
            for (I i = 0; i < m; i++) {
                int from = dist[F(e, i, u)];
                if (from >= 0) {
                    int far = from + F(e, i, w);
                    if (dist[F(e, i, v)] < 0 || far < dist[F(e, i, v)]) { dist[F(e, i, v)] = far; COUNT(); }
                }
            }
        }
        before[0] = 0;""",
    "until stable": """
        int changed;
        for (I i = 0; i < n; i++) { dist[i] = 20000; }
        dist[0] = 0;
        do {
            changed = 0;
            for (I i = 0; i < m; i++) {
                int u = F(e, i, u), v = F(e, i, v);
                if (dist[u] < 20000 && dist[u] + F(e, i, w) < dist[v]) {
                    ANY(dist[v] = dist[u] + F(e, i, w), before[v] = u, changed = 1);
                    COUNT();
                }
            }
        } while (changed);
        for (I i = 0; i < n; i++) { if (dist[i] == 20000) { dist[i] = -1; } }""",
    "old and new": """
        for (I i = 0; i < n; i++) { before[i] = i == 0 ? 0 : 9999; }
        for (I round = 0; round < n; round++) {
            for (I i = 0; i < n; i++) { dist[i] = before[i]; }
            for (I i = m - 1; i >= 0; i--) {
                int far = before[F(e, i, u)] + F(e, i, w);
                COUNT();
                dist[F(e, i, v)] = far < dist[F(e, i, v)] ? far : dist[F(e, i, v)];
            }
            for (I i = 0; i < n; i++) { before[i] = dist[i]; }
        }
        each (int x : dist, n) { if (x >= 9999) { x = -1; } }""",
}

DFS = {
    "recursive": """
        static void visit(GRAPH, int *label, int u, int root) {
            label[u] = root;
            COUNT();
            neighbours (v : u) {
                if (label[v] < 0) { visit(GRAPH_ARGUMENTS, label, v, root); }
            }
        }
        ----
        for (I i = 0; i < n; i++) { label[i] = -1; }
        for (int i = 0; i < n; i++) {
            if (label[i] < 0) { visit(GRAPH_ARGUMENTS, label, i, i); }
        }
        ANY(stack[0] = 0, place[0] = 0);""",
    "stack": """
        int depth = 0;
        for (I i = 0; i < n; i++) { label[i] = -1; }
        for (int i = 0; i < n; i++) {
            if (label[i] >= 0) { continue; }
            stack[depth++] = i;
            while (depth > 0) {
                int u = stack[--depth];
                if (label[u] < 0) {
                    label[u] = i;
                    COUNT();
                    neighbours (v : u) { if (label[v] < 0) { stack[depth++] = v; } }
                }
            }
        }
        place[0] = depth;""",
    "mark when pushed": """
        for (I i = 0; i < n; i++) { label[i] = (int)n; }
        for (int i = 0; i < n; i++) {
            if (label[i] > i) {
                int *top = stack;
                ANY(label[i] = i, *top++ = i);
                do {
                    int u = *--top;
                    neighbours (v : u) {
                        if (label[v] == n) { ANY(label[v] = i, *top++ = v); COUNT(); }
                    }
                } while (top != stack);
            }
        }
        place[0] = 1;""",
    "parents": """
        for (I i = 0; i < n; i++) { ANY(label[i] = -1, place[i] = -1); }
        for (int i = 0; i < n; i++) {
            if (label[i] != -1) { continue; }
            int u = i;
            label[i] = i;
            while (u >= 0) {
                int next_node = -1;
                neighbours (v : u) { if (label[v] == -1 && next_node < 0) { next_node = v; } }
                COUNT();
                if (next_node < 0) { u = place[u]; }
                else { ANY(place[next_node] = u, label[next_node] = i); u = next_node; }
            }
        }
        stack[0] = 0;""",
}

_FIND = "static int find_root(int *parent, int x) {"

UNION_FIND = {
    "recursive find": _FIND + """
            COUNT();
            if (parent[x] != x) { parent[x] = find_root(parent, parent[x]); }
            return parent[x];
        }
        ----
        for (I i = 0; i < n; i++) { parent[i] = (int)i; }
        for (I i = 0; i < m; i++) {
            int x = find_root(parent, F(e, i, u)), y = find_root(parent, F(e, i, v));
            if (x < y) { parent[y] = x; } else { parent[x] = y; }
        }
        for (I i = 0; i < n; i++) { label[i] = find_root(parent, (int)i); }
        size[0] = 0;""",
    "by size": _FIND + """
            while (parent[x] != x) { parent[x] = parent[parent[x]]; x = parent[x]; COUNT(); }
            return x;
        }
        ----
        for (I i = 0; i < n; i++) { ANY(parent[i] = (int)i, size[i] = 1, label[i] = (int)i); }
        for (I i = 0; i < m; i++) {
            int x = find_root(parent, F(e, i, u)), y = find_root(parent, F(e, i, v));
            if (x == y) { continue; }
            if (size[x] < size[y]) { int kept = x; x = y; y = kept; }
            ANY(parent[y] = x, size[x] += size[y]);
            if (label[y] < label[x]) { label[x] = label[y]; }
        }
        for (I i = 0; i < n; i++) { size[i] = label[find_root(parent, (int)i)]; }
        for (I i = 0; i < n; i++) { label[i] = size[i]; }""",
    "negative sizes": """
        for (I i = 0; i < n; i++) { ANY(parent[i] = -1, size[i] = (int)i); }
        for (I i = 0; i < m; i++) {
            int x = F(e, i, u), y = F(e, i, v);
            while (parent[x] >= 0) { x = parent[x]; COUNT(); }
            while (parent[y] >= 0) { y = parent[y]; COUNT(); }
            if (x != y) {
                if (parent[y] < parent[x]) { int kept = x; x = y; y = kept; }
                parent[x] += parent[y];
                parent[y] = x;
                if (size[y] < size[x]) { size[x] = size[y]; }
            }
        }
        for (I i = 0; i < n; i++) {
            int x = (int)i;
            while (parent[x] >= 0) { x = parent[x]; }
            label[i] = size[x];
        }""",
    "quick find": """
        for (I i = 0; i < n; i++) { parent[i] = (int)i; }
        for (I i = 0; i < m; i++) {
            int keep = parent[F(e, i, u)], drop = parent[F(e, i, v)];
            if (keep > drop) { int kept = keep; keep = drop; drop = kept; }
            if (keep != drop) {
                for (I j = 0; j < n; j++) { if (parent[j] == drop) { parent[j] = keep; COUNT(); } }
            }
        }
        for (I i = 0; i < n; i++) { ANY(label[i] = parent[i], size[i] = 0); }""",
}

FLOYD = {
    "plain": """
        for (I k = 0; k < n; k++) {
            for (I i = 0; i < n; i++) {
                for (I j = 0; j < n; j++) {
                    COUNT();
                    if (M(d, i, k) + M(d, k, j) < M(d, i, j)) { M(d, i, j) = M(d, i, k) + M(d, k, j); }
                }
            }
        }""",
    "skip far": """
        for (I k = 0; k < n; k++) {
            for (I i = 0; i < n; i++) {
                T there = M(d, i, k);
                if (there >= 9999 || i == k) { continue; }
                for (I j = 0; j < n; j++) {
                    T way = (T)(there + M(d, k, j));
                    M(d, i, j) = way < M(d, i, j) ? way : M(d, i, j);
                    COUNT();
                }
            }
        }""",
    "repeated squaring": """
        for (int length = 1; length < n; length *= 2) {
            for (I i = 0; i < n; i++) {
                T row[16];
                for (I j = 0; j < n; j++) {
                    row[j] = M(d, i, j);
                    for (I k = 0; k < n; k++) {
                        if (M(d, i, k) + M(d, k, j) < row[j]) { row[j] = M(d, i, k) + M(d, k, j); }
                        COUNT();
                    }
                }
                for (I j = 0; j < n; j++) { M(d, i, j) = row[j]; }
            }
        }""",
}

TOPOLOGICAL = {
    "queue": """
        int first = 0, last = 0;
        for (I i = 0; i < n; i++) { neighbours (v : i) { degree[v] += cost; } }
        for (int i = 0; i < n; i++) { if (degree[i] == 0) { queue[last++] = i; } }
        while (first < last) {
            int u = queue[first++];
            neighbours (v : u) {
                if (level[u] + 1 > level[v]) { level[v] = level[u] + 1; }
                degree[v] -= cost;
                if (degree[v] == 0) { queue[last++] = v; COUNT(); }
            }
        }""",
    "depth first": """
        static int visit(GRAPH, int *seen, int *order, int used, int u) {
            seen[u] = 1;
            neighbours (v : u) {
                if (!seen[v]) { used = visit(GRAPH_ARGUMENTS, seen, order, used, v); }
            }
            COUNT();
            order[used] = u;
            return used + 1;
        }
        ----
        int used = 0;
        for (int i = 0; i < n; i++) {
            if (degree[i] == 0) { used = visit(GRAPH_ARGUMENTS, degree, queue, used, i); }
        }
        for (int i = used - 1; i >= 0; i--) {
            int u = queue[i];
            neighbours (v : u) { if (level[v] <= level[u]) { level[v] = level[u] + cost; } }
        }""",
    "relax": """
        int changed = 1;
        while (changed) {
            changed = 0;
            for (int u = 0; u < n; u++) {
                neighbours (v : u) {
                    if (level[v] < level[u] + cost) { ANY(level[v] = level[u] + cost, changed = 1); COUNT(); }
                }
            }
        }
        ANY(queue[0] = 0, degree[0] = 0);""",
    "peeling": """
        int left = (int)n, depth = 0;
        for (I i = 0; i < n; i++) { level[i] = -1; }
        while (left > 0) {
            for (I i = 0; i < n; i++) { degree[i] = 0; }
            for (int u = 0; u < n; u++) {
                if (level[u] < 0) { neighbours (v : u) { degree[v] = cost; } }
            }
            for (int u = 0; u < n; u++) {
                if (level[u] < 0 && degree[u] == 0) { queue[--left] = u; COUNT(); }
            }
            for (int i = left; i < n && level[queue[i]] < 0; i++) { level[queue[i]] = depth; }
            depth++;
        }""",
}

SPANNING_TREE = {
    "prim": """
        for (I i = 0; i < n; i++) { ANY(best[i] = 1000, inside[i] = 0); }
        best[0] = 0;
        for (I turn = 0; turn < n; turn++) {
            int u = -1;
            for (int i = 0; i < n; i++) {
                if (!inside[i] && (u < 0 || best[i] < best[u])) { u = i; }
            }
            ANY(inside[u] = 1, r += best[u]);
            COUNT();
            for (int v = 0; v < n; v++) {
                if (!inside[v] && M(g, u, v) < best[v]) { ANY(best[v] = (int)M(g, u, v), parent[v] = u); }
            }
        }""",
    "prim over pairs": """
        inside[0] = 1;
        for (I edges = 1; edges < n; edges++) {
            int to_node = 0, least = 1000;
            for (int u = 0; u < n; u++) {
                if (inside[u] == 0) { continue; }
                for (int v = 0; v < n; v++) {
                    COUNT();
                    if (inside[v] == 0 && M(g, u, v) < least) {
                        ANY(least = (int)M(g, u, v), to_node = v, parent[v] = u);
                    }
                }
            }
            ANY(inside[to_node] = 1, r += least);
        }
        best[0] = 0;""",
    "kruskal": """
        int left = (int)n - 1;
        for (I i = 0; i < n; i++) { parent[i] = (int)i; }
        for (int weight = 1; left > 0; weight++) {
            for (int u = 0; u < n; u++) {
                for (int v = u + 1; v < n; v++) {
                    if (M(g, u, v) != weight) { continue; }
                    int x = u, y = v;
                    while (parent[x] != x) { x = parent[x]; COUNT(); }
                    while (parent[y] != y) { y = parent[y]; COUNT(); }
                    if (x != y) { ANY(parent[y] = x, r += weight, left--); }
                }
            }
        }
        ANY(best[0] = 0, inside[0] = 1);""",
}

ALGORITHMS = (
    Algorithm("breadth-first search", BFS, _bfs, _INT),
    Algorithm("dijkstra", DIJKSTRA, _shortest, _INT),
    Algorithm("bellman ford", BELLMAN_FORD, _bellman_ford, ("int",)),
    Algorithm("depth-first search", DFS, _dfs, _INT),
    Algorithm("union find", UNION_FIND, _union_find, ("int",)),
    Algorithm("floyd warshall", FLOYD, _floyd, _INT),
    Algorithm("topological levels", TOPOLOGICAL, _topological, _INT),
    Algorithm("spanning tree", SPANNING_TREE, _spanning_tree, _INT),
)
