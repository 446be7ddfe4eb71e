"""The pre-training corpus: sources, bitcode, states under passes, Parquet shards."""
