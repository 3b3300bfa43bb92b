"""The handbook: Markdown files in docs/handbook, as pages of the portal and as PDF."""
