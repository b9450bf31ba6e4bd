"""The command line: parse, call one operation, render. No boot logic lives here."""
