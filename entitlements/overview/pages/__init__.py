"""What Home and the pages of items and entitlements show to one reader."""
