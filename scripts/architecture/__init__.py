"""The pictures of docs/architecture.md, drawn from the source code."""
