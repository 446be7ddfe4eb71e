/*
 * Shortest paths: Dijkstra with an indexed binary heap, Bellman-Ford (including
 * negative weights and negative cycles), Floyd-Warshall, breadth-first search,
 * and A* on a grid map with obstacles.  Graphs are generated, algorithms are
 * compared with one another and every predecessor tree is verified.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNREACHED = INT_MAX, NO_NODE = -1, DENSE_LIMIT = 96, WALL = 0 };

struct edge {
    int from;
    int to;
    int weight;
};

/* Edges are sorted by origin: those leaving u are first[u] up to first[u + 1]. */
struct graph {
    int nodes;
    int edge_count;
    int *first;
    struct edge *edges;
};

/* Binary min-heap of nodes; slot[node] tells where a node is, for decrease-key. */
struct heap {
    int size;
    int *node;
    int *slot;
    int *priority;
};

struct grid {
    int width;
    int height;
    unsigned char *cost; /* Cost of entering a cell, or WALL. */
};

static unsigned random_state;

static void fail(const char *what)
{
    fprintf(stderr, "shortestpath: %s\n", what);
    exit(1);
}

static void *allocate(int count, size_t size)
{
    void *memory = calloc((size_t)count + 1, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static int random_below(int limit)
{
    random_state = random_state * 1103515245u + 12345u;
    return (int)((random_state >> 8 & 0x7fffffu) % (unsigned)limit);
}

static void heap_init(struct heap *heap, int capacity)
{
    heap->size = 0;
    heap->node = allocate(capacity, sizeof *heap->node);
    heap->slot = allocate(capacity, sizeof *heap->slot);
    heap->priority = allocate(capacity, sizeof *heap->priority);
    for (int i = 0; i < capacity; i++)
        heap->slot[i] = NO_NODE;
}

static void heap_free(struct heap *heap)
{
    free(heap->node);
    free(heap->slot);
    free(heap->priority);
}

static void heap_place(struct heap *heap, int at, int node)
{
    heap->node[at] = node;
    heap->slot[node] = at;
}

/* Inserts the node, or moves it towards the root if it is already there. */
static void heap_update(struct heap *heap, int node, int priority)
{
    int at = heap->slot[node];
    if (at == NO_NODE)
        at = heap->size++;
    heap->priority[node] = priority;
    while (at > 0) {
        int parent = (at - 1) / 2;
        if (heap->priority[heap->node[parent]] <= priority)
            break;
        heap_place(heap, at, heap->node[parent]);
        at = parent;
    }
    heap_place(heap, at, node);
}

static int heap_pop(struct heap *heap)
{
    int top = heap->node[0];
    int last = heap->node[--heap->size];
    heap->slot[top] = NO_NODE;
    if (heap->size > 0) {
        int at = 0;
        for (int child; (child = 2 * at + 1) < heap->size; at = child) {
            const int *node = heap->node;
            if (child + 1 < heap->size &&
                heap->priority[node[child + 1]] < heap->priority[node[child]])
                child++;
            if (heap->priority[last] <= heap->priority[node[child]])
                break;
            heap_place(heap, at, node[child]);
        }
        heap_place(heap, at, last);
    }
    return top;
}

/* A ring keeps most nodes connected; the other edges prefer near-by targets. */
static void make_graph(struct graph *graph, int nodes, int degree, unsigned seed)
{
    random_state = seed;
    graph->nodes = nodes;
    graph->edge_count = 0;
    graph->first = allocate(nodes + 1, sizeof *graph->first);
    graph->edges = allocate(nodes * degree, sizeof *graph->edges);
    for (int u = 0; u < nodes; u++) {
        graph->first[u] = graph->edge_count;
        int out = u % 50 == 49 ? 0 : degree;
        for (int i = 0; i < out; i++) {
            struct edge *edge = &graph->edges[graph->edge_count++];
            edge->from = u;
            if (i == 0)
                edge->to = (u + 1) % nodes;
            else if (i % 4 == 3)
                edge->to = random_below(nodes);
            else
                edge->to = (u + 1 + random_below(nodes / 8 + 1)) % nodes;
            edge->weight = 1 + random_below(1000);
        }
    }
    graph->first[nodes] = graph->edge_count;
}

static void start_search(int nodes, int source, int *dist, int *parent)
{
    for (int u = 0; u < nodes; u++) {
        dist[u] = UNREACHED;
        parent[u] = NO_NODE;
    }
    dist[source] = 0;
}

static void dijkstra(const struct graph *graph, int source, int *dist, int *parent)
{
    struct heap heap;
    heap_init(&heap, graph->nodes);
    start_search(graph->nodes, source, dist, parent);
    heap_update(&heap, source, 0);
    while (heap.size > 0) {
        int u = heap_pop(&heap);
        for (int e = graph->first[u]; e < graph->first[u + 1]; e++) {
            const struct edge *edge = &graph->edges[e];
            int through = dist[u] + edge->weight;
            if (through < dist[edge->to]) {
                dist[edge->to] = through;
                parent[edge->to] = u;
                heap_update(&heap, edge->to, through);
            }
        }
    }
    heap_free(&heap);
}

/* Returns the number of rounds, or -1 if there is a negative cycle in reach. */
static int bellman_ford(const struct graph *graph, int source, int *dist, int *parent)
{
    start_search(graph->nodes, source, dist, parent);
    for (int round = 1; round <= graph->nodes; round++) {
        bool changed = false;
        for (int e = 0; e < graph->edge_count; e++) {
            const struct edge *edge = &graph->edges[e];
            if (dist[edge->from] == UNREACHED)
                continue;
            int through = dist[edge->from] + edge->weight;
            if (through < dist[edge->to]) {
                dist[edge->to] = through;
                parent[edge->to] = edge->from;
                changed = true;
            }
        }
        if (!changed)
            return round;
    }
    return -1;
}

static void breadth_first(const struct graph *graph, int source, int *hops, int *parent)
{
    int *queue = allocate(graph->nodes, sizeof *queue);
    int head = 0, tail = 0;
    start_search(graph->nodes, source, hops, parent);
    queue[tail++] = source;
    while (head < tail) {
        int u = queue[head++];
        for (int e = graph->first[u]; e < graph->first[u + 1]; e++) {
            int v = graph->edges[e].to;
            if (hops[v] == UNREACHED) {
                hops[v] = hops[u] + 1;
                parent[v] = u;
                queue[tail++] = v;
            }
        }
    }
    free(queue);
}

static void floyd_warshall(const struct graph *graph, int *dist)
{
    int n = graph->nodes;
    for (int i = 0; i < n * n; i++)
        dist[i] = i % (n + 1) == 0 ? 0 : UNREACHED;
    for (int e = 0; e < graph->edge_count; e++) {
        int *entry = &dist[graph->edges[e].from * n + graph->edges[e].to];
        if (graph->edges[e].weight < *entry)
            *entry = graph->edges[e].weight;
    }
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < n; i++) {
            int to_k = dist[i * n + k];
            if (to_k == UNREACHED)
                continue;
            for (int j = 0; j < n; j++) {
                int from_k = dist[k * n + j];
                if (from_k != UNREACHED && to_k + from_k < dist[i * n + j])
                    dist[i * n + j] = to_k + from_k;
            }
        }
    }
}

/* Every edge is relaxed, and every parent edge accounts for the distance exactly. */
static void verify_tree(const struct graph *graph, const int *dist, const int *parent)
{
    bool *tight = allocate(graph->nodes, sizeof *tight);
    for (int e = 0; e < graph->edge_count; e++) {
        const struct edge *edge = &graph->edges[e];
        if (dist[edge->from] == UNREACHED)
            continue;
        if (dist[edge->to] > dist[edge->from] + edge->weight)
            fail("an edge can still be relaxed");
        if (parent[edge->to] == edge->from && dist[edge->to] == dist[edge->from] + edge->weight)
            tight[edge->to] = true;
    }
    for (int u = 0; u < graph->nodes; u++)
        if ((parent[u] != NO_NODE) != tight[u])
            fail("a parent edge does not fit");
    free(tight);
}

static void print_distances(const char *name, const int *dist, int count)
{
    int reached = 0, farthest = 0;
    unsigned long long sum = 0;
    for (int u = 0; u < count; u++) {
        if (dist[u] == UNREACHED)
            continue;
        reached++;
        sum += (unsigned long long)dist[u];
        if (dist[u] > farthest)
            farthest = dist[u];
    }
    printf("  %-15s reached %d, farthest %d, sum %llu\n", name, reached, farthest, sum);
}

static void run_sparse(int nodes)
{
    struct graph graph;
    make_graph(&graph, nodes, 6, 17u);
    int *dist = allocate(4 * nodes, sizeof *dist); /* Four arrays in one. */
    int *other = dist + nodes, *parent = other + nodes, *potential = parent + nodes;
    printf("sparse graph, %d nodes, %d edges\n", nodes, graph.edge_count);

    breadth_first(&graph, 0, dist, parent);
    print_distances("hops", dist, nodes);
    dijkstra(&graph, 0, dist, parent);
    verify_tree(&graph, dist, parent);
    print_distances("dijkstra", dist, nodes);
    int rounds = bellman_ford(&graph, 0, other, parent);
    verify_tree(&graph, other, parent);
    if (memcmp(dist, other, (size_t)nodes * sizeof *dist) != 0)
        fail("Bellman-Ford disagrees with Dijkstra");
    printf("  %-15s %d rounds\n", "bellman-ford", rounds);

    /* Node potentials make weights negative, but shift each distance predictably. */
    int negative = 0;
    for (int u = 0; u < nodes; u++)
        potential[u] = random_below(800);
    for (int e = 0; e < graph.edge_count; e++) {
        struct edge *edge = &graph.edges[e];
        edge->weight += potential[edge->from] - potential[edge->to];
        negative += edge->weight < 0;
    }
    rounds = bellman_ford(&graph, 0, other, parent);
    verify_tree(&graph, other, parent);
    for (int u = 0; u < nodes; u++)
        if (dist[u] != UNREACHED && other[u] != dist[u] + potential[0] - potential[u])
            fail("negative weights give wrong distances");
    printf("  %-15s %d rounds, %d negative edges\n", "with potentials", rounds, negative);

    free(dist);
    free(graph.edges);
    free(graph.first);
}

static void run_dense(int nodes)
{
    struct graph graph;
    make_graph(&graph, nodes, nodes / 4 + 2, 99u);
    int *all = allocate(nodes * (nodes + 2), sizeof *all);
    int *dist = all + nodes * nodes, *parent = dist + nodes;
    printf("dense graph, %d nodes, %d edges\n", nodes, graph.edge_count);

    floyd_warshall(&graph, all);
    print_distances("floyd-warshall", all, nodes * nodes);
    for (int u = 0; u < nodes; u++) {
        dijkstra(&graph, u, dist, parent);
        if (memcmp(dist, &all[u * nodes], (size_t)nodes * sizeof *dist) != 0)
            fail("Floyd-Warshall disagrees with Dijkstra");
    }
    graph.edges[0].weight = -100000; /* Closes a negative cycle with the way back. */
    bool cycle = bellman_ford(&graph, 0, dist, parent) < 0;
    printf("  negative cycle %s\n", cycle ? "detected" : "absent");
    free(all);
    free(graph.edges);
    free(graph.first);
}

/* Scattered obstacles plus long walls with gaps, alternating between the sides. */
static void make_grid(struct grid *grid, int side)
{
    grid->width = side;
    grid->height = side;
    grid->cost = allocate(side * side, sizeof *grid->cost);
    for (int y = 0; y < side; y++) {
        int gap = y / 16 % 2 == 0 ? side - side / 4 : side / 4;
        for (int x = 0; x < side; x++) {
            int cost = 1 + random_below(9);
            if (y % 16 == 4)
                cost = abs(x - gap) < 2 ? 1 : WALL;
            else if (y % 16 != 3 && y % 16 != 5 && random_below(100) < 15)
                cost = WALL;
            grid->cost[y * side + x] = (unsigned char)cost;
        }
    }
}

static int manhattan(const struct grid *grid, int a, int b)
{
    return abs(a % grid->width - b % grid->width) + abs(a / grid->width - b / grid->width);
}

/* Returns the cost of the cheapest path; greed 0 turns A* into Dijkstra. */
static int a_star(const struct grid *grid, int start, int goal, int greed, int *expanded)
{
    static const int step_x[4] = {1, 0, -1, 0}, step_y[4] = {0, 1, 0, -1};
    int cells = grid->width * grid->height;
    int *dist = allocate(cells, sizeof *dist);
    int *parent = allocate(cells, sizeof *parent);
    struct heap open;
    heap_init(&open, cells);
    start_search(cells, start, dist, parent);
    heap_update(&open, start, 0);
    *expanded = 0;
    while (open.size > 0) {
        int here = heap_pop(&open);
        if (here == goal)
            break;
        ++*expanded;
        for (int d = 0; d < 4; d++) {
            int x = here % grid->width + step_x[d], y = here / grid->width + step_y[d];
            if (x < 0 || y < 0 || x >= grid->width || y >= grid->height)
                continue;
            int next = y * grid->width + x;
            int through = dist[here] + grid->cost[next];
            if (grid->cost[next] != WALL && through < dist[next]) {
                dist[next] = through;
                parent[next] = here;
                heap_update(&open, next, through + greed * manhattan(grid, next, goal));
            }
        }
    }
    int best = dist[goal], total = 0;
    for (int at = goal; parent[at] != NO_NODE; at = parent[at])
        total += grid->cost[at];
    if (best != UNREACHED && total != best)
        fail("path cost does not match the distance");
    heap_free(&open);
    free(parent);
    free(dist);
    return best;
}

static void run_grid(int side)
{
    struct grid grid;
    make_grid(&grid, side);
    printf("grid of %d x %d\n", side, side);
    int goals[4] = {side * side - 1, side - 1, side * (side - 1), side * side / 2 + side / 3};
    for (int g = 0; g < 4; g++) {
        int plain_work, guided_work;
        grid.cost[goals[g]] = 1;
        int plain = a_star(&grid, 0, goals[g], 0, &plain_work);
        int guided = a_star(&grid, 0, goals[g], 1, &guided_work);
        if (plain != guided)
            fail("A* disagrees with Dijkstra");
        printf("  to (%d, %d): cost %d, expanded %d with A*, %d without\n", goals[g] % side,
               goals[g] / side, plain == UNREACHED ? -1 : plain, guided_work, plain_work);
    }
    free(grid.cost);
}

int main(int argc, char **argv)
{
    long nodes = 50000;
    if (argc > 1) {
        char *end;
        errno = 0;
        nodes = strtol(argv[1], &end, 10);
        if (errno != 0 || end == argv[1] || *end != '\0' || nodes < 1 || nodes > 1000000) {
            fprintf(stderr, "shortestpath: nodes must be 1 to 1000000, not \"%s\"\n", argv[1]);
            return 2;
        }
    }
    int side = 1;
    while ((long)side * side < nodes)
        side++;
    run_sparse((int)nodes);
    run_dense(side < DENSE_LIMIT ? side : DENSE_LIMIT);
    run_grid(side);
    return 0;
}
