"""What a scoring request runs: session, rules, hybrid score, fallback, routing."""
