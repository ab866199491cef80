"""WHO NOT: opt-out tokens, applying a signal once, and the one question: may we write?"""
