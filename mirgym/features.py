"""The integer feature vectors of a module: their names, in order.

The engine computes them (native/counts.cpp, native/autophase.cpp, native/ir2vec.cpp); a
slow reference over the printed IR in tests/ holds it to these definitions.
"""

from __future__ import annotations

INSTCOUNT_NAMES: tuple[str, ...] = (
    "TotalInsts", "TotalBlocks", "TotalFuncs",
    "Ret", "Br", "Switch", "IndirectBr", "Invoke", "Resume", "Unreachable", "CleanupRet",
    "CatchRet", "CatchSwitch", "CallBr", "FNeg", "Add", "FAdd", "Sub", "FSub", "Mul", "FMul",
    "UDiv", "SDiv", "FDiv", "URem", "SRem", "FRem", "Shl", "LShr", "AShr", "And", "Or", "Xor",
    "Alloca", "Load", "Store", "GetElementPtr", "Fence", "AtomicCmpXchg", "AtomicRMW", "Trunc",
    "ZExt", "SExt", "FPToUI", "FPToSI", "UIToFP", "SIToFP", "FPTrunc", "FPExt", "PtrToInt",
    "IntToPtr", "BitCast", "AddrSpaceCast", "CleanupPad", "CatchPad", "ICmp", "FCmp", "PHI",
    "Call", "Select", "UserOp1", "UserOp2", "VAArg", "ExtractElement", "InsertElement",
    "ShuffleVector", "ExtractValue", "InsertValue", "LandingPad", "Freeze",
)  # fmt: skip
"""CompilerGym's InstCount: 70 counts. ``TotalFuncs`` counts declarations too, as there."""

AUTOPHASE_NAMES: tuple[str, ...] = (
    "BBNumArgsHi", "BBNumArgsLo", "onePred", "onePredOneSuc", "onePredTwoSuc", "oneSuccessor",
    "twoPred", "twoPredOneSuc", "twoEach", "twoSuccessor", "morePreds", "BB03Phi", "BBHiPhi",
    "BBNoPhi", "BeginPhi", "BranchCount", "returnInt", "CriticalCount", "NumEdges", "const32Bit",
    "const64Bit", "numConstZeroes", "numConstOnes", "UncondBranches", "binaryConstArg",
    "NumAShrInst", "NumAddInst", "NumAllocaInst", "NumAndInst", "BlockMid", "BlockLow",
    "NumBitCastInst", "NumBrInst", "NumCallInst", "NumGetElementPtrInst", "NumICmpInst",
    "NumLShrInst", "NumLoadInst", "NumMulInst", "NumOrInst", "NumPHIInst", "NumRetInst",
    "NumSExtInst", "NumSelectInst", "NumShlInst", "NumStoreInst", "NumSubInst", "NumTruncInst",
    "NumXorInst", "NumZExtInst", "TotalBlocks", "TotalInsts", "TotalMemInst", "TotalFuncs",
    "ArgsPhi", "testUnary",
)  # fmt: skip
"""The 56 features of Autophase (Huang et al., FCCM 2019), in CompilerGym's order."""

IR2VEC_NAMES: tuple[str, ...] = (
    "Ret", "UncondBr", "CondBr", "Switch", "IndirectBr", "Invoke", "Resume", "Unreachable",
    "CleanupRet", "CatchRet", "CatchSwitch", "CallBr", "FNeg", "Add", "FAdd", "Sub", "FSub",
    "Mul", "FMul", "UDiv", "SDiv", "FDiv", "URem", "SRem", "FRem", "Shl", "LShr", "AShr", "And",
    "Or", "Xor", "Alloca", "Load", "Store", "GetElementPtr", "Fence", "AtomicCmpXchg",
    "AtomicRMW", "Trunc", "ZExt", "SExt", "FPToUI", "FPToSI", "UIToFP", "SIToFP", "FPTrunc",
    "FPExt", "PtrToInt", "PtrToAddr", "IntToPtr", "BitCast", "AddrSpaceCast", "CleanupPad",
    "CatchPad", "ICmp", "FCmp", "PHI", "Call", "Select", "UserOp1", "UserOp2", "VAArg",
    "ExtractElement", "InsertElement", "ShuffleVector", "ExtractValue", "InsertValue",
    "LandingPad", "Freeze",
    "FloatTy", "VoidTy", "LabelTy", "MetadataTy", "VectorTy", "TokenTy", "IntegerTy", "ByteTy",
    "FunctionTy", "PointerTy", "StructTy", "ArrayTy", "UnknownTy",
    "Function", "Pointer", "Constant", "Variable",
    "FCMP_false", "FCMP_oeq", "FCMP_ogt", "FCMP_oge", "FCMP_olt", "FCMP_ole", "FCMP_one",
    "FCMP_ord", "FCMP_uno", "FCMP_ueq", "FCMP_ugt", "FCMP_uge", "FCMP_ult", "FCMP_ule",
    "FCMP_une", "FCMP_true", "ICMP_eq", "ICMP_ne", "ICMP_ugt", "ICMP_uge", "ICMP_ult",
    "ICMP_ule", "ICMP_sgt", "ICMP_sge", "ICMP_slt", "ICMP_sle",
)  # fmt: skip
"""Entries of IR2Vec's vocabulary in LLVM 23: opcodes, types, kinds of operands, predicates."""

FUNCTION_FEATURES = {
    "instcount": slice(0, 70),
    "autophase": slice(70, 126),
    "ir2vec": slice(126, 238),
}
"""Columns of the view ``function_features``, which has a row for each function."""

TOTAL_INSTRUCTIONS = {
    "instcount": INSTCOUNT_NAMES.index("TotalInsts"),
    "autophase": AUTOPHASE_NAMES.index("TotalInsts"),
}
"""Where each vector holds the number of instructions, to normalise by."""
