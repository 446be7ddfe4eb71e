"""MIREncoder: embeddings of LLVM IR from its text and its graph, pre-trained."""
