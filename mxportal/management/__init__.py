"""Commands for operators that concern the whole portal."""
