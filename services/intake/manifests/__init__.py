"""What sources say they sent: numbers, lists, their rhythm; and what of it is missing."""
