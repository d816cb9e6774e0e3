"""From a version to a Bento: used where a Bento is built, but not packed into it."""
