"""What the readers of foreign formats share: rows of a file, loose JSON, tool descriptions, chat turns."""
