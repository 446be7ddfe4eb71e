"""Sorts: one frame, and the text between reading and printing."""

from __future__ import annotations

from .family import Algorithm
from .style import INTEGERS, NUMBERS
from .writer import Writer

_IN_ORDER = """
for (I i = 1; i < n; i++) {
    if (LT(a[i], a[i - 1])) { FAIL(); }
}
each (T x : a, n) { total -= (long)KEY(x); }
if (total != 0) { FAIL(); }
"""
_TOTAL = """
long total = 0;
each (T x : a, n) { total += (long)KEY(x); }
"""


def _sort(w: Writer, text: str) -> None:
    if w.template not in ("binary insertion", "gather"):
        w.records()
    _sort_keys(w, text)


def _sort_keys(w: Writer, text: str, high: int = 100) -> None:
    w.size("n", 9, 45)
    low = w.rng.choice((-high, -50, 0))
    values = w.input("a", "n", low, w.rng.choice((50, high)))
    if "b[" in text or "b," in text:
        w.array("b", "T", w.sizes["n"])
    w.work(w.call(w.rng.choice(("sort", "arrange", "order")), "T *a, I n, T *b" if "b" in w.arrays else "T *a, I n", text))
    w.check(_IN_ORDER, before=_TOTAL)
    w.show("a", "n", sorted(values, reverse=w.style.descending), "KEY({})")


def _counting_sort(w: Writer, text: str) -> None:
    """Without comparisons of keys: always ascending, never records."""
    w.size("n", 12, 60)
    top = w.rng.choice((9, 15, 63, 99))
    values = w.input("a", "n", 0, top)
    w.array("b", "T", w.sizes["n"])
    w.array("count", "int", 130)
    w.work(w.call("sort", "T *a, I n, T *b, int *count", text.replace("TOP", str(top))))
    w.check(_IN_ORDER.replace("LT(a[i], a[i - 1])", "a[i] < a[i - 1]"), before=_TOTAL)
    w.show("a", "n", sorted(values))


BUBBLE = {
    "plain": """
        for (I i = 0; i < n - 1; i++) {
            for (I j = 0; j < n - 1 - i; j++) {
                COUNT();
                if (LT(a[j + 1], a[j])) { SWAP(a[j], a[j + 1]); }
            }
        }""",
    "early exit": """
        I end = n;
        int swaps = 1;
        while (swaps) {
            swaps = 0;
            for (I j = 1; j < end; j++) {
                COUNT();
                if (LT(a[j], a[j - 1])) {
                    SWAP(a[j], a[j - 1]);
                    PICK(swaps = 1 | 0, swaps++, swaps += 1);
                }
            }
            end--;
        }""",
    "last swap": """
        I bound = n - 1;
        do {
            I last = 0;
            for (I j = 0; j < bound; j++) {
                if (LT(a[j + 1], a[j])) {
                    SWAP(a[j + 1], a[j]);
                    last = j;
                    COUNT();
                }
            }
            bound = last;
        } while (bound > 0);""",
    "cocktail": """
        I low = 0, high = n - 1;
        while (low < high) {
            for (I j = low; j < high; j++) {
                if (LT(a[j + 1], a[j])) { SWAP(a[j], a[j + 1]); COUNT(); }
            }
            high--;
            for (I j = high; j > low; j--) {
                if (LT(a[j], a[j - 1])) { SWAP(a[j], a[j - 1]); COUNT(); }
            }
            low++;
        }""",
}

INSERTION = {
    "shift": """
        for (I i = 1; i < n; i++) {
            T item = a[i];
            I j = i - 1;
            while (j >= 0 && LT(item, a[j])) {
                a[j + 1] = a[j];
                j--;
                COUNT();
            }
            a[j + 1] = item;
        }""",
    "recursive": """
        static void insert_sorted(T *a, I count) {
            if (count < 2) { return; }
            insert_sorted(a, count - 1);
            T item = a[count - 1];
            T *p = a + count - 1;
            while (p > a && LT(item, p[-1])) { *p = p[-1]; p--; COUNT(); }
            *p = item;
        }
        ----
        insert_sorted(a, n);""",
    "swaps": """
        for (I i = 1; i < n; i++) {
            for (I j = i; j > 0 && LT(a[j], a[j - 1]); j--) {
                SWAP(a[j], a[j - 1]);
                COUNT();
            }
        }""",
    "sentinel": """
        I first = 0;
        for (I i = 1; i < n; i++) {
            if (LT(a[i], a[first])) { first = i; }
        }
        SWAP(a[0], a[first]);
        for (I i = 2; i < n; i++) {
            T item = a[i];
            T *p = a + i;
            while (LT(item, p[-1])) { *p = p[-1]; p--; COUNT(); }
            *p = item;
        }""",
    "binary insertion": """
        for (I i = 1; i < n; i++) {
            T item = a[i];
            I low = 0, high = i;
            while (low < high) {
                I middle = low + PICK((high - low) / 2, (high - low >> 1));
                if (LT(item, a[middle])) { high = middle; } else { low = middle + 1; }
                COUNT();
            }
            for (I j = i; j > low; j--) { a[j] = a[j - 1]; }
            a[low] = item;
        }""",
}

SELECTION = {
    "smallest": """
        for (I i = 0; i < n - 1; i++) {
            I best = i;
            for (I j = i + 1; j < n; j++) {
                COUNT();
                if (LT(a[j], a[best])) { best = j; }
            }
            if (best != i) { SWAP(a[i], a[best]); }
        }""",
    "largest last": """
        for (I end = n - 1; end > 0; end--) {
            I best = 0;
            for (I j = 1; j <= end; j++) {
                if (LT(a[best], a[j])) { best = j; COUNT(); }
            }
            SWAP(a[end], a[best]);
        }""",
    "pointers": """
        T *stop = a + n;
        for (T *p = a; p < stop; p++) {
            T *best = p;
            for (T *q = p + 1; q < stop; q++) {
                COUNT();
                if (LT(*q, *best)) { best = q; }
            }
            SWAP(*p, *best);
        }""",
    "both ends": """
        I low = 0, high = n - 1;
        while (low < high) {
            I least = low, most = low;
            for (I j = low; j <= high; j++) {
                if (LT(a[j], a[least])) { least = j; }
                if (LT(a[most], a[j])) { most = j; }
                COUNT();
            }
            SWAP(a[low], a[least]);
            if (most == low) { most = least; }
            SWAP(a[high], a[most]);
            ANY(low++, high--);
        }""",
}

QUICK = {
    "lomuto": """
        static void quick(T *a, I low, I high) {
            if (low >= high) { return; }
            PICK(/* last */, {SWAP(a[low + (high - low) / 2], a[high]);});
            T pivot = a[high];
            I at = low;
            for (I j = low; j < high; j++) {
                COUNT();
                if (LT(a[j], pivot)) { SWAP(a[at], a[j]); at++; }
            }
            SWAP(a[at], a[high]);
            ANY(quick(a, low, at - 1), quick(a, at + 1, high));
        }
        ----
        quick(a, 0, n - 1);""",
    "stack": """
        I stack[128];
        int depth = 0;
        ANY(stack[0] = 0, stack[1] = n - 1, depth = 2);
        while (depth > 0) {
            I high = stack[--depth];
            I low = stack[--depth];
            if (low < high) {
                I at = low;
                for (I j = low; j < high; j++) {
                    if (LT(a[j], a[high])) { SWAP(a[at], a[j]); at++; COUNT(); }
                }
                SWAP(a[at], a[high]);
                stack[depth++] = low;
                stack[depth++] = at - 1;
                stack[depth++] = at + 1;
                stack[depth++] = high;
            }
        }""",
    "three ways": """
        static void quick(T *a, I count) {
            while (count > 1) {
                I less = 0, i = 0, more = count;
                T pivot = a[PICK(count / 2, 0, count - 1)];
                while (i < more) {
                    COUNT();
                    if (LT(a[i], pivot)) { SWAP(a[less], a[i]); ANY(less++, i++); }
                    else if (LT(pivot, a[i])) { more--; SWAP(a[i], a[more]); }
                    else { i++; }
                }
                quick(a, less);
                a += more;
                count -= more;
            }
        }
        ----
        quick(a, n);""",
    "hoare": """
        static void quick(T *a, I low, I high) {
            T pivot = a[PICK(low + (high - low) / 2, low, (low + high) / 2)];
            I i = low, j = high;
            while (i <= j) {
                while (LT(a[i], pivot)) { i++; COUNT(); }
                while (LT(pivot, a[j])) { j--; COUNT(); }
                if (i <= j) {
                    SWAP(a[i], a[j]);
                    ANY(i++, j--);
                }
            }
            if (low < j) { quick(a, low, j); }
            if (i < high) { quick(a, i, high); }
        }
        ----
        quick(a, 0, n - 1);""",
}

MERGE = {
    "top down": """
        static void merge_sort(T *a, T *b, I low, I high) {
            if (high - low < 2) { return; }
            I middle = low + (high - low) / 2;
            ANY(merge_sort(a, b, low, middle), merge_sort(a, b, middle, high));
            I i = low, j = middle, k = low;
            while (i < middle && j < high) {
                COUNT();
                if (LT(a[j], a[i])) { b[k++] = a[j++]; } else { b[k++] = a[i++]; }
            }
            while (i < middle) { b[k++] = a[i++]; }
            while (j < high) { b[k++] = a[j++]; }
            for (k = low; k < high; k++) { a[k] = b[k]; }
        }
        ----
        merge_sort(a, b, 0, n);""",
    "halves": """
        static void merge_sort(T *a, I count, T *b) {
            I half = count / 2;
            if (half > 0) {
                merge_sort(a, half, b);
                merge_sort(a + half, count - half, b);
                memcpy(b, a, (unsigned long)half * sizeof(T));
                T *left = b, *right = a + half, *out = a;
                while (left < b + half) {
                    COUNT();
                    if (right < a + count && LT(*right, *left)) { *out++ = *right++; }
                    else { *out++ = *left++; }
                }
            }
        }
        ----
        merge_sort(a, n, b);""",
    "bottom up": """
        for (I width = 1; width < n; width *= 2) {
            for (I low = 0; low < n; low += 2 * width) {
                I middle = low + width < n ? low + width : n;
                I high = low + 2 * width < n ? low + 2 * width : n;
                I i = low, j = middle;
                for (I k = low; k < high; k++) {
                    COUNT();
                    if (i < middle && (j >= high || !(LT(a[j], a[i])))) { b[k] = a[i++]; }
                    else { b[k] = a[j++]; }
                }
            }
            for (I k = 0; k < n; k++) { a[k] = b[k]; }
        }""",
}

HEAP = {
    "sift in loop": """
        static void sift(T *a, I root, I count) {
            while (2 * root + 1 < count) {
                I child = 2 * root + 1;
                if (child + 1 < count && LT(a[child], a[child + 1])) { child++; }
                if (!(LT(a[root], a[child]))) { return; }
                SWAP(a[root], a[child]);
                root = child;
                COUNT();
            }
        }
        ----
        for (I i = n / 2 - 1; i >= 0; i--) { sift(a, i, n); }
        for (I end = n - 1; end > 0; end--) {
            SWAP(a[0], a[end]);
            sift(a, 0, end);
        }""",
    "sift recursive": """
        static void heapify(T *a, I count, I root) {
            I top = root, left = PICK(2 * root + 1, root + root + 1), right = left + 1;
            if (left < count && LT(a[top], a[left])) { top = left; }
            if (right < count && LT(a[top], a[right])) { top = right; }
            if (top != root) {
                SWAP(a[root], a[top]);
                COUNT();
                heapify(a, count, top);
            }
        }
        ----
        I start = n / 2;
        while (start > 0) { start--; heapify(a, n, start); }
        I end = n;
        while (end > 1) {
            end--;
            SWAP(a[0], a[end]);
            heapify(a, end, 0);
        }""",
    "insert and extract": """
        for (I i = 1; i < n; i++) {
            I child = i;
            while (child > 0 && LT(a[(child - 1) / 2], a[child])) {
                SWAP(a[(child - 1) / 2], a[child]);
                child = (child - 1) / 2;
                COUNT();
            }
        }
        for (I end = n - 1; end > 0; end--) {
            T item = a[end];
            I hole = 0, child = 1;
            a[end] = a[0];
            while (child < end) {
                if (child + 1 < end && LT(a[child], a[child + 1])) { child++; }
                if (!(LT(item, a[child]))) { break; }
                a[hole] = a[child];
                hole = child;
                child = 2 * hole + 1;
            }
            a[hole] = item;
        }""",
}

SHELL = {
    "halving": """
        for (I gap = n / 2; gap > 0; gap /= 2) {
            for (I i = gap; i < n; i++) {
                T item = a[i];
                I j = i;
                while (j >= gap && LT(item, a[j - gap])) {
                    a[j] = a[j - gap];
                    j -= gap;
                    COUNT();
                }
                a[j] = item;
            }
        }""",
    "knuth": """
        I gap = 1;
        while (gap < n / 3) { gap = 3 * gap + 1; }
        while (gap >= 1) {
            for (I i = gap; i < n; i++) {
                for (I j = i; j >= gap && LT(a[j], a[j - gap]); j -= gap) {
                    SWAP(a[j], a[j - gap]);
                    COUNT();
                }
            }
            gap = gap / 3;
        }""",
    "table of gaps": """
        static const int gaps[] = {57, 23, 10, 4, 1};
        static void sort_chain(T *a, I count, I first, I gap) {
            for (I i = first + gap; i < count; i += gap) {
                T item = a[i];
                I j = i - gap;
                while (j >= 0 && LT(item, a[j])) { a[j + gap] = a[j]; j -= gap; COUNT(); }
                a[j + gap] = item;
            }
        }
        ----
        for (int g = 0; g < 5; g++) {
            for (int first = 0; first < gaps[g] && first < n; first++) {
                sort_chain(a, n, first, gaps[g]);
            }
        }""",
}

COUNTING = {
    "expand": """
        for (I i = 0; i < n; i++) { count[(int)a[i]]++; }
        I at = 0;
        for (int v = 0; v <= TOP; v++) {
            for (int c = count[v]; c > 0; c--) { a[at++] = (T)v; COUNT(); }
        }""",
    "expand while": """
        each (T x : a, n) { count[(int)x] += 1; }
        T *out = a;
        int value = 0;
        while (value <= TOP) {
            if (count[value] > 0) { *out++ = (T)value; count[value]--; } else { value++; }
        }""",
    "positions": """
        for (I i = 0; i < n; i++) { count[(int)a[i]]++; }
        for (int v = 1; v <= TOP; v++) { count[v] += count[v - 1]; }
        for (I i = n - 1; i >= 0; i--) { b[--count[(int)a[i]]] = a[i]; COUNT(); }
        for (I i = 0; i < n; i++) { a[i] = b[i]; }""",
}

RADIX = {
    "two digits": """
        for (int shift = 0; shift < 8; shift += PICK(4, 2)) {
            PICK(memset(count, 0, 17 * sizeof(int));, for (int d = 0; d < 17; d++) { count[d] = 0; });
            for (I i = 0; i < n; i++) { count[((int)a[i] >> shift & 15) + 1]++; }
            for (int d = 0; d < 16; d++) { count[d + 1] += count[d]; }
            for (I i = 0; i < n; i++) { b[count[(int)a[i] >> shift & 15]++] = a[i]; COUNT(); }
            for (I i = 0; i < n; i++) { a[i] = b[i]; }
        }""",
    "decimal": """
        for (int unit = 1; unit <= TOP; unit *= 10) {
            int start[11] = {0};
            each (T x : a, n) { start[(int)x / unit % 10 + 1]++; }
            for (int d = 1; d < 10; d++) { start[d] += start[d - 1]; }
            each (T x : a, n) {
                int digit = (int)x / unit % 10;
                b[start[digit]] = x;
                start[digit] += 1;
            }
            memcpy(a, b, (unsigned long)n * sizeof(T));
        }""",
    "bits": """
        for (int bit = 1; bit <= TOP; bit <<= 1) {
            I zeros = 0, ones = 0;
            for (I i = 0; i < n; i++) {
                COUNT();
                if ((int)a[i] & bit) { b[ones++] = a[i]; } else { a[zeros++] = a[i]; }
            }
            for (I i = 0; i < ones; i++) { a[zeros + i] = b[i]; }
        }""",
}

ALGORITHMS = (
    Algorithm("bubble sort", BUBBLE, _sort, NUMBERS),
    Algorithm("insertion sort", INSERTION, _sort, NUMBERS),
    Algorithm("selection sort", SELECTION, _sort, NUMBERS),
    Algorithm("quicksort", QUICK, _sort, NUMBERS),
    Algorithm("merge sort", MERGE, _sort, NUMBERS),
    Algorithm("heap sort", HEAP, _sort, NUMBERS),
    Algorithm("shell sort", SHELL, _sort, NUMBERS),
    Algorithm("counting sort", COUNTING, _counting_sort, INTEGERS),
    Algorithm("radix sort", RADIX, _counting_sort, INTEGERS),
)
