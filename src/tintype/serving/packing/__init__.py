"""From a version to a Bento: used where one is built, and no part of it."""
