"""One script = one frozen dataclass = one ``results/<name>/`` = one table or figure."""
