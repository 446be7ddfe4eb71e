"""Strings: searches, codes, words."""

from __future__ import annotations

import itertools
import zlib
from collections import Counter

from .family import Algorithm
from .writer import Writer

_CHAR = ("char",)


def _search(w: Writer, text: str) -> None:
    """All positions of a pattern in a string."""
    letters = w.rng.choice(("ab", "abc", "xyz", "01"))
    n, m = w.size("n", 20, 60), w.size("m", 1, 4)
    s, p = w.text("s", "n", letters), w.text("p", "m", letters)
    w.array("hits", "int", n)
    w.work("int found = 0;")
    name = w.rng.choice(("find_all", "search", "matches"))
    w.work(w.call(name, "char *s, I n, char *p, I m, int *hits", text, "int found"))
    w.check("""
        int expected = 0;
        for (I i = 0; i + m <= n; i++) {
            if (memcmp(s + i, p, (unsigned long)m) == 0) {
                if (expected >= found || hits[expected] != i) { FAIL(); }
                expected++;
            }
        }
        if (expected != found) { FAIL(); }""")
    positions = [i for i in range(n - m + 1) if s.startswith(p, i)]
    if w.rng.random() < 0.7:
        w.show("hits", "found", positions)
    w.show_value("found", len(positions))


def _palindrome(w: Writer, text: str) -> None:
    """Length of the longest palindrome in a string."""
    n = w.size("n", 8, 30)
    s = w.text("s", "n", w.rng.choice(("ab", "abc", "abcd")))
    w.matrix("t", w.rng.choice(("char", "int")), n, n) if "M(t" in text else None
    table = f", MAT({w.matrices['t'][0]}, t)" if "M(t" in text else ""
    w.work("int r = 0;")
    w.work(w.call("longest_palindrome", f"char *s, I n{table}", text, "int r"))
    w.check("""
        int reached = 0;
        for (I i = 0; i < n; i++) {
            for (I j = i; j < n; j++) {
                I low = i, high = j;
                while (low < high && s[low] == s[high]) { low++; high--; }
                if (low >= high) {
                    if (j - i + 1 > r) { FAIL(); }
                    reached |= j - i + 1 == r;
                }
            }
        }
        if (!reached) { FAIL(); }""")
    spans = [s[i:j] for i in range(n) for j in range(i + 1, n + 1)]
    w.show_value("r", max(len(span) for span in spans if span == span[::-1]))


def _run_lengths(w: Writer, text: str) -> None:
    n = w.size("n", 12, 50)
    s = w.text("s", "n", w.rng.choice(("ab", "aab", "aabbbc", "xy")))
    w.array("run", "int", n)
    w.array("kind", "char", n)
    w.work("int runs = 0;")
    w.work(w.call("encode", "char *s, I n, int *run, char *kind", text, "int runs"))
    w.check("""
        I at = 0;
        for (int k = 0; k < runs; k++) {
            if (k > 0 && kind[k] == kind[k - 1]) { FAIL(); }
            for (int c = 0; c < run[k]; c++) {
                if (at >= n || s[at] != kind[k]) { FAIL(); }
                at++;
            }
        }
        if (at != n) { FAIL(); }""")
    groups = [(letter, len(list(same))) for letter, same in itertools.groupby(s)]
    w.show("run", "runs", [length for _, length in groups])
    w.show("kind", "runs", [ord(letter) for letter, _ in groups])


def _words(w: Writer, text: str) -> None:
    """Number of words and length of the longest."""
    w.size("n", 15, 60)
    s = w.text("s", "n", w.rng.choice(("ab ", "abc ", "abcd  ")))
    w.array("longest", "int", 1)
    w.work("int words = 0;")
    w.work(w.call("count_words", "char *s, I n, int *longest", text, "int words"))
    w.check("""
        int starts = 0;
        for (I i = 0; i < n; i++) { starts += s[i] != 32 && (i == 0 || s[i - 1] == 32); }
        if (starts != words) { FAIL(); }
        for (I i = 0; i + longest[0] < n; i++) {
            I k = i;
            while (k < n && s[k] != 32) { k++; }
            if (k - i > longest[0]) { FAIL(); }
        }""")
    w.show_value("words", len(s.split()))
    w.show_value("longest[0]", max(map(len, s.split()), default=0))


def _anagram(w: Writer, text: str) -> None:
    """How many letters must go from two strings until one is an anagram of the other."""
    letters = w.rng.choice(("abc", "abcdef", "nopqrstu"))
    w.size("n", 5, 30)
    w.size("m", 5, 30)
    s, p = w.text("s", "n", letters), w.text("p", "m", letters)
    w.work("int r = 0;")
    w.work(w.call("letters_to_drop", "char *s, I n, char *p, I m", text, "int r"))
    first, second = Counter(s), Counter(p)
    w.check(
        """int left = 0;
        for (int c = 97; c < 123; c++) {
            int more = 0;
            each (char x : original, n) { more += x == c; }
            each (char x : p, m) { more -= x == c; }
            left += more < 0 ? -more : more;
        }
        if (left != r) { FAIL(); }""",
        before="char original[64];\nmemcpy(original, s, (unsigned long)n);",
    )
    w.show_value("r", ((first - second) + (second - first)).total())


def _cipher(w: Writer, text: str) -> None:
    """Vigenère: shift each letter by the key's."""
    n, m = w.size("n", 10, 50), w.size("m", 2, 6)
    s, p = w.text("s", "n", "abcdefghijklmnopqrstuvwxyz"), w.text("p", "m", "bcdefgh")
    w.array("out", "char", n + 1)
    w.work(w.call(w.rng.choice(("encode", "encrypt")), "char *s, I n, char *p, I m, char *out", text))
    w.check("""
        for (I i = 0; i < n; i++) {
            int shift = out[i] - s[i];
            if (shift < 0) { shift += 26; }
            if (shift != p[i % m] - 97) { FAIL(); }
        }""")
    codes = [(ord(s[i]) + ord(p[i % m]) - 2 * 97) % 26 + 97 for i in range(n)]
    w.show("out", "n", codes)


def _crc(w: Writer, text: str) -> None:
    w.size("n", 8, 40)
    s = w.text("s", "n", w.rng.choice(("abcdefghij", "0123456789", "ABCxyz")))
    w.work("unsigned r = 0;")
    w.work(w.call("checksum", "char *s, I n", text, "unsigned r"))
    w.check("""
        unsigned slow = 0xffffffffu;
        for (int bit = 0; bit < (int)n * 8; bit++) {
            unsigned low = (slow ^ (unsigned)(s[bit / 8] >> bit % 8)) & 1u;
            slow = slow >> 1 ^ (low ? 0xedb88320u : 0u);
        }
        if (~slow != r) { FAIL(); }""")
    w.show_value("r", zlib.crc32(s.encode()))


_FAILURE = """
    int fail[8] = {0};
    for (int i = 1, k = 0; i < m; i++) {
        while (k > 0 && p[i] != p[k]) { k = fail[k - 1]; COUNT(); }
        if (p[i] == p[k]) { k++; }
        fail[i] = k;
    }"""

KMP = {
    "failure": _FAILURE + """
        int k = 0;
        for (I i = 0; i < n; i++) {
            while (k > 0 && s[i] != p[k]) { k = fail[k - 1]; }
            if (s[i] == p[k]) { k++; COUNT(); }
            if (k == m) { hits[found++] = (int)(i - m + 1); k = fail[k - 1]; }
        }""",
    "border table": """
        int border[9];
        I i = 0, j = -1;
        border[0] = -1;
        while (i < m) {
            while (j >= 0 && p[i] != p[j]) { j = border[j]; }
            ANY(i++, j++);
            border[i] = (int)j;
        }
        ANY(i = 0, j = 0);
        while (i < n) {
            while (j >= 0 && s[i] != p[j]) { j = border[j]; COUNT(); }
            ANY(i++, j++);
            if (j == m) { hits[found++] = (int)(i - j); j = border[j]; }
        }""",
    "joined string": """
        char joined[80];
        int prefix[80] = {0};
        int total = 0;
        for (I i = 0; i < m; i++) { joined[total++] = p[i]; }
        joined[total++] = '#';
        for (I i = 0; i < n; i++) { joined[total++] = s[i]; }
        for (int i = 1; i < total; i++) {
            int k = prefix[i - 1];
            while (k > 0 && joined[i] != joined[k]) { k = prefix[k - 1]; COUNT(); }
            prefix[i] = k + (joined[i] == joined[k]);
            if (prefix[i] == m) { hits[found++] = i - 2 * (int)m; }
        }""",
    "automaton": _FAILURE + """
        int next[8][128];
        for (int q = 0; q <= m; q++) {
            for (int c = 0; c < 128; c++) {
                int k = q;
                while (k > 0 && (k == m || p[k] != c)) { k = fail[k - 1]; }
                next[q][c] = p[k] == c && k < m ? k + 1 : 0;
            }
        }
        int state = 0;
        for (I i = 0; i < n; i++) {
            state = next[state][(int)s[i]];
            COUNT();
            if (state == m) { hits[found++] = (int)(i - m + 1); }
        }""",
}

NAIVE = {
    "two loops": """
        for (I i = 0; i + m <= n; i++) {
            I j = 0;
            while (j < m && s[i + j] == p[j]) { j++; COUNT(); }
            if (j == m) { hits[found++] = (int)i; }
        }""",
    "flag": """
        for (I i = 0; i <= n - m; i++) {
            int equal = 1;
            for (I j = 0; j < m; j++) {
                if (s[i + j] != p[j]) { equal = 0; break; }
            }
            if (equal) { hits[found] = (int)i; found++; COUNT(); }
        }""",
    "backing up": """
        I i = 0, j = 0;
        while (i < n) {
            if (s[i] == p[j]) { i++; j++; } else { i = i - j + 1; j = 0; COUNT(); }
            if (j == m) { hits[found++] = (int)(i - m); i = i - m + 1; j = 0; }
        }""",
    "pointers": """
        static int begins(const char *text, const char *prefix) {
            while (*prefix) {
                COUNT();
                if (*text++ != *prefix++) { return 0; }
            }
            return 1;
        }
        ----
        for (char *at = s; *at; at++) {
            if (begins(at, p)) { hits[found++] = (int)(at - s); }
        }
        if (n < m) { found = 0; }""",
}

RABIN_KARP = {
    "modulus": """
        long wanted = 0, rolling = 0, top = 1;
        for (I i = 0; i < m; i++) {
            wanted = (wanted * 256 + p[i]) % 1009;
            rolling = (rolling * 256 + s[i]) % 1009;
            if (i > 0) { top = top * 256 % 1009; }
        }
        for (I i = 0; i + m <= n; i++) {
            if (rolling == wanted) {
                I j = 0;
                while (j < m && s[i + j] == p[j]) { j++; COUNT(); }
                if (j == m) { hits[found++] = (int)i; }
            }
            if (i + m < n) {
                rolling = ((rolling - s[i] * top) * 256 + s[i + m]) % 1009;
                if (rolling < 0) { rolling += 1009; }
            }
        }""",
    "overflow": """
        unsigned wanted = 0, rolling = 0, power = 1;
        for (I j = 0; j < m; j++) { wanted = wanted * 31u + (unsigned)p[j]; power *= 31u; }
        for (I i = 0; i < n; i++) {
            rolling = rolling * 31u + (unsigned)s[i];
            if (i >= m) { rolling -= power * (unsigned)s[i - m]; }
            if (i >= m - 1 && rolling == wanted) {
                COUNT();
                if (memcmp(s + (i - m + 1), p, (unsigned long)m) == 0) {
                    hits[found++] = (int)(i - m + 1);
                }
            }
        }""",
    "prefix hashes": """
        unsigned prefix[72], powers[72], wanted = 0;
        ANY(prefix[0] = 7, powers[0] = 1);
        for (I i = 0; i < n; i++) {
            ANY(prefix[i + 1] = prefix[i] * 131u + (unsigned)s[i], powers[i + 1] = powers[i] * 131u);
        }
        for (I j = 0; j < m; j++) { wanted = wanted * 131u + (unsigned)p[j]; }
        for (I i = m; i <= n; i++) {
            if (prefix[i] - prefix[i - m] * powers[m] == wanted) {
                I j = 0;
                while (j < m && s[i - m + j] == p[j]) { j++; }
                if (j == m) { hits[found++] = (int)(i - m); COUNT(); }
            }
        }""",
}

HORSPOOL = {
    "table": """
        int shift[256];
        for (int c = 0; c < 256; c++) { shift[c] = (int)m; }
        for (I j = 0; j < m - 1; j++) { shift[(unsigned char)p[j]] = (int)(m - 1 - j); }
        I i = 0;
        while (i + m <= n) {
            I j = m - 1;
            while (j >= 0 && s[i + j] == p[j]) { j--; COUNT(); }
            if (j < 0) { hits[found++] = (int)i; }
            i += shift[(unsigned char)s[i + m - 1]];
        }""",
    "last positions": """
        int last[128];
        memset(last, -1, sizeof last);
        for (I j = 0; j < m; j++) { last[(int)p[j]] = (int)j; }
        for (I i = 0; i <= n - m;) {
            I j = m;
            while (j > 0 && s[i + j - 1] == p[j - 1]) { j--; }
            COUNT();
            if (j == 0) { hits[found++] = (int)i; i++; }
            else {
                I step = j - 1 - last[(int)s[i + j - 1]];
                i += step > 1 ? step : 1;
            }
        }""",
    "sunday": """
        signed char shift[128];
        memset(shift, (int)m + 1, sizeof shift);
        for (I j = 0; j < m; j++) { shift[(int)p[j]] = (signed char)(m - j); }
        for (char *at = s; at + m <= s + n; at += shift[(int)at[m]]) {
            I j = 0;
            while (j < m && at[j] == p[j]) { j++; COUNT(); }
            if (j == m) { hits[found++] = (int)(at - s); }
        }""",
}

PALINDROME = {
    "centres": """
        for (I c = 0; c < n; c++) {
            for (int even = 0; even < 2; even++) {
                I low = c, high = c + even;
                while (low >= 0 && high < n && s[low] == s[high]) { ANY(low--, high++); COUNT(); }
                if (high - low - 1 > r) { r = (int)(high - low - 1); }
            }
        }""",
    "all pairs": """
        for (I i = 0; i < n; i++) {
            for (I j = i; j < n; j++) {
                I low = i, high = j;
                while (low < high && s[low] == s[high]) { ANY(low++, high--); COUNT(); }
                if (low >= high && r < j - i + 1) { r = (int)(j - i + 1); }
            }
        }""",
    "recursive": """
        static int is_palindrome(const char *low, const char *high) {
            COUNT();
            if (low >= high) { return 1; }
            return *low == *high && is_palindrome(low + 1, high - 1);
        }
        ----
        I length = n;
        while (r == 0) {
            for (I i = 0; i + length <= n; i++) {
                if (is_palindrome(s + i, s + i + length - 1)) { r = (int)length; }
            }
            length--;
        }""",
    "table": """
        r = 1;
        for (I i = n - 1; i >= 0; i--) {
            M(t, i, i) = 1;
            for (I j = i + 1; j < n; j++) {
                M(t, i, j) = s[i] == s[j] && (j - i < 2 || M(t, i + 1, j - 1));
                COUNT();
                if (M(t, i, j) && j - i + 1 > r) { r = (int)(j - i + 1); }
            }
        }""",
}

RUN_LENGTHS = {
    "inner loop": """
        I i = 0;
        while (i < n) {
            I j = i;
            while (j < n && s[j] == s[i]) { j++; COUNT(); }
            ANY(run[runs] = (int)(j - i), kind[runs] = s[i]);
            runs++;
            i = j;
        }""",
    "one pass": """
        ANY(run[0] = 1, kind[0] = s[0]);
        for (I i = 1; i < n; i++) {
            if (s[i] == kind[runs]) { run[runs]++; }
            else { runs++; COUNT(); ANY(run[runs] = 1, kind[runs] = s[i]); }
        }
        runs++;""",
    "ends": """
        I start = 0;
        for (I i = 0; i < n; i++) {
            if (i + 1 == n || s[i] != s[i + 1]) {
                ANY(kind[runs] = s[start], run[runs] = (int)(i + 1 - start));
                ANY(runs++, start = i + 1);
                COUNT();
            }
        }""",
    "recursive": """
        static int encode_from(char *at, int *run, char *kind, int runs) {
            char *end = at;
            if (*at == 0) { return runs; }
            do { end++; COUNT(); } while (*end == *at);
            kind[runs] = *at;
            run[runs] = (int)(end - at);
            return encode_from(end, run, kind, runs + 1);
        }
        ----
        runs = encode_from(s, run, kind, 0);""",
}

WORDS = {
    "state": """
        int inside = 0, length = 0;
        for (I i = 0; i < n; i++) {
            if (s[i] == ' ') { ANY(inside = 0, length = 0); }
            else {
                if (!inside) { words++; inside = 1; }
                length++;
                COUNT();
                if (length > longest[0]) { longest[0] = length; }
            }
        }""",
    "skip and take": """
        I i = 0;
        while (i < n) {
            while (i < n && s[i] == ' ') { i++; }
            I start = i;
            while (i < n && s[i] != ' ') { i++; COUNT(); }
            if (i > start) {
                words++;
                if (i - start > longest[0]) { longest[0] = (int)(i - start); }
            }
        }""",
    "strspn": """
        char *at = s + strspn(s, " ");
        while (*at) {
            int length = (int)strcspn(at, " ");
            words++;
            if (length > *longest) { *longest = length; }
            at += length;
            at += strspn(at, " ");
            COUNT();
        }""",
    "last space": """
        I space = -1;
        for (I i = 0; i <= n; i++) {
            if (i == n || s[i] == ' ') {
                int length = (int)(i - space - 1);
                if (length > 0) { words++; COUNT(); }
                longest[0] = length > longest[0] ? length : longest[0];
                space = i;
            }
        }""",
}

ANAGRAM = {
    "counts": """
        int counts[26] = {0};
        ANY({each (char x : s, n) { counts[x - 'a']++; }}, {each (char x : p, m) { counts[x - 'a']--; }});
        for (int c = 0; c < 26; c++) {
            if (counts[c] > 0) { r += counts[c]; } else { r -= counts[c]; }
            COUNT();
        }""",
    "two counts": """
        int first[128] = {0}, second[128] = {0};
        for (I i = 0; i < n; i++) { first[(int)s[i]]++; }
        for (I i = 0; i < m; i++) { second[(int)p[i]]++; }
        for (int c = 'a'; c <= 'z'; c++) { r += abs(first[c] - second[c]); COUNT(); }""",
    "strike out": """
        int kept = 0;
        for (I j = 0; j < m; j++) {
            for (I i = 0; i < n; i++) {
                COUNT();
                if (s[i] == p[j]) { s[i] = '-'; kept++; break; }
            }
        }
        r = (int)(n + m) - 2 * kept;""",
    "sorted": """
        static void sort_letters(char *x, int count) {
            for (int i = 1; i < count; i++) {
                for (int j = i; j > 0 && x[j - 1] > x[j]; j--) {
                    char kept = x[j];
                    x[j] = x[j - 1];
                    x[j - 1] = kept;
                    COUNT();
                }
            }
        }
        ----
        char left[64], right[64];
        ANY(memcpy(left, s, (unsigned long)n), memcpy(right, p, (unsigned long)m));
        sort_letters(left, (int)n);
        sort_letters(right, (int)m);
        I i = 0, j = 0;
        while (i < n && j < m) {
            if (left[i] == right[j]) { i++; j++; }
            else {
                r++;
                if (left[i] < right[j]) { i++; } else { j++; }
            }
        }
        r += (int)(n - i + m - j);""",
}

CIPHER = {
    "modulo": """
        for (I i = 0; i < n; i++) {
            out[i] = (char)((s[i] - 'a' + p[i % m] - 'a') % 26 + 'a');
            COUNT();
        }""",
    "subtract": """
        I k = 0;
        for (I i = 0; i < n; i++) {
            int code = s[i] + (p[k] - 'a');
            if (code > 'z') { code -= 26; COUNT(); }
            out[i] = (char)code;
            k++;
            if (k == m) { k = 0; }
        }""",
    "pointers": """
        char *from = s, *key = p, *to = out;
        while (*from) {
            int shift = *key++ - 'a';
            *to = *from++;
            while (shift-- > 0) { *to = *to == 'z' ? 'a' : (char)(*to + 1); COUNT(); }
            to++;
            if (*key == 0) { key = p; }
        }
        if (to - out != n) { out[0] = (char)m; }""",
    "table": """
        static char square[26][26];
        ----
        for (int i = 0; i < 26; i++) {
            for (int j = 0; j < 26; j++) { square[i][j] = (char)('a' + (i + j) % 26); }
        }
        for (I i = 0; i < n; i++) { out[i] = square[s[i] - 'a'][p[i % m] - 'a']; COUNT(); }""",
}

CRC = {
    "bits": """
        r = 0xffffffffu;
        for (I i = 0; i < n; i++) {
            r ^= (unsigned char)s[i];
            for (int k = 0; k < 8; k++) {
                COUNT();
                if (r & 1u) { r = r >> 1 ^ 0xedb88320u; } else { r >>= 1; }
            }
        }
        r = ~r;""",
    "mask": """
        r = 0xffffffffu;
        each (char x : s, n) {
            r ^= (unsigned char)x;
            int left = 8;
            do { r = (r >> 1) ^ (0xedb88320u & (0u - (r & 1u))); COUNT(); } while (--left);
        }
        r ^= 0xffffffffu;""",
    "nibbles": """
        unsigned nibble[16];
        for (unsigned v = 0; v < 16; v++) {
            unsigned e = v;
            for (int k = 0; k < 4; k++) { e = e & 1u ? e >> 1 ^ 0xedb88320u : e >> 1; }
            nibble[v] = e;
        }
        r = 0xffffffffu;
        for (I i = 0; i < n; i++) {
            r ^= (unsigned char)s[i];
            r = r >> 4 ^ nibble[r & 15u];
            r = r >> 4 ^ nibble[r & 15u];
            COUNT();
        }
        r = ~r;""",
    "table": """
        static unsigned crc_table[256];
        static void fill_table(void) {
            for (unsigned v = 0; v < 256; v++) {
                unsigned e = v;
                for (int k = 0; k < 8; k++) {
                    if (e & 1u) { e = e >> 1 ^ 0xedb88320u; } else { e = e >> 1; }
                }
                crc_table[v] = e;
            }
        }
        ----
        fill_table();
        r = 0xffffffffu;
        for (I i = 0; i < n; i++) {
            r = crc_table[(r ^ (unsigned char)s[i]) & 255u] ^ r >> 8;
            COUNT();
        }
        r = ~r;""",
}

ALGORITHMS = (
    Algorithm("knuth morris pratt", KMP, _search, _CHAR),
    Algorithm("naive string search", NAIVE, _search, _CHAR),
    Algorithm("rabin karp", RABIN_KARP, _search, _CHAR),
    Algorithm("boyer moore horspool", HORSPOOL, _search, _CHAR),
    Algorithm("longest palindrome", PALINDROME, _palindrome, _CHAR),
    Algorithm("run lengths", RUN_LENGTHS, _run_lengths, _CHAR),
    Algorithm("word count", WORDS, _words, _CHAR),
    Algorithm("anagram", ANAGRAM, _anagram, _CHAR),
    Algorithm("vigenere cipher", CIPHER, _cipher, _CHAR),
    Algorithm("crc", CRC, _crc, _CHAR),
)
