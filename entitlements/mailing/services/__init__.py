"""Services that queue mails about line items, and send failed ones again."""
