"""What the list of mails and the notices show to one reader."""
