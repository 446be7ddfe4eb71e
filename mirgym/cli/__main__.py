"""``python -m mirgym.cli``."""

from . import main

raise SystemExit(main())
