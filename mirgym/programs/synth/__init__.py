"""``synth://SEED?profile=NAME``: generated C programs whose mix of constructs is chosen.

A profile says how often each kind of construct is drawn, how large programs are, and how
loops nest; keys of the URI change it: ``synth://7?profile=numeric&loops=0.4&size=200``. A
program has no undefined behaviour, ends, and prints a checksum of all its data: arithmetic is
unsigned or bounded, every index is masked, loops count or shrink something, functions call
only earlier ones. Its argument says how often all is done.

>>> request = parse("7?profile=numeric&loops=0.4")
>>> request.uri
'synth://7?profile=numeric&loops=0.4'
>>> round(request.profile.shares["loops"], 2), len(PROFILES)
(0.4, 7)
>>> generate(7, request.profile) == generate(7, request.profile)
True
"""

from __future__ import annotations

import hashlib

from ..cache import cache_root, write_atomically
from ..program import Program, Run
from .profile import DEFAULT, KINDS, NUMBERS, PROFILES, SCHEME, Profile, parse
from .source import Synthetic, generate

__all__ = [
    "DEFAULT", "KINDS", "NUMBERS", "PROFILES", "SCHEME", "Profile", "Synthetic", "generate",
    "parse", "synth_program",
]  # fmt: skip


def synth_program(text: str) -> Program:
    """The program of ``synth://TEXT``, with a small and a large run.

    Raises:
        UnknownProgramError: A bad seed, an unknown profile or key, a value out of its bounds.
    """
    request = parse(text)
    synthetic = generate(request.seed, request.profile)
    content = synthetic.source.encode()
    digest = hashlib.sha256(content).hexdigest()[:16]
    path = cache_root() / "synth" / f"{request.seed}-{digest}.c"
    if not path.is_file():
        write_atomically(path, content)
    return Program(
        request.uri,
        (path,),
        libs=("m",),
        runs=(Run(("1",)), Run((str(synthetic.repeats),))),
        domain=request.name,
        description=f"generated, {sum(synthetic.counts.values())} constructs",
    )
