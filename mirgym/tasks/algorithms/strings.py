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
    w.work(
        w.call(w.rng.choice(("encode", "encrypt")), "char *s, I n, char *p, I m, char *out", text)
    )
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


ALGORITHMS = (
    Algorithm("knuth morris pratt", _search, _CHAR),
    Algorithm("naive string search", _search, _CHAR),
    Algorithm("rabin karp", _search, _CHAR),
    Algorithm("boyer moore horspool", _search, _CHAR),
    Algorithm("longest palindrome", _palindrome, _CHAR),
    Algorithm("run lengths", _run_lengths, _CHAR),
    Algorithm("word count", _words, _CHAR),
    Algorithm("anagram", _anagram, _CHAR),
    Algorithm("vigenere cipher", _cipher, _CHAR),
    Algorithm("crc", _crc, _CHAR),
)
