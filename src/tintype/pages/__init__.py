"""Pages for people: templates with one look, charts that follow light and dark; nothing is loaded from elsewhere."""
