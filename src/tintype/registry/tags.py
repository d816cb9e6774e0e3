"""The names of all tags that the registry reads and writes, in one place.

The lineage's names are also labels of a Bento and keys in a photo's provenance: a renamed tag is a broken link.
"""

from __future__ import annotations

# Of runs and versions: where they come from.
BUNDLE = "bundle_sha256"  # also of logged models
MANIFEST = "manifest_sha256"
DVC_LOCK = "dvc_lock_sha256"
COMMIT, DIRTY = "git_commit", "git_dirty"
EXPERIMENT, BASELINE = "dvc_experiment", "dvc_baseline"
PRESET = "preset"
NETWORK = "network"
WEIGHTS = "weights_origin"
ORIGIN = "origin"  # the starter's: that it comes along
TRAINED_IN = "trained_in_run"  # of a run that stands in for one of another store

# Of versions: how good they are.
EVALUATION = "evaluation_sha256"  # set last: the version's figures are all there
VERDICT, FAIL = "verdict", "fail"  # or pass, or not compared
REASONS = "verdict_reasons"  # sentences
RIVAL = "compared_with"  # number of the champion of that time
CARD = "metric_card"
COMPARED = "comparison_of"  # set last: the comparison with this champion by this card is all there
FORCED = "promoted_in_spite"  # of the verdict: why

# Of versions: what was done with them.
PACKAGED = "packaged"  # the Bento's tag
DEPLOYED_AT = "deployed_at"
DEPLOY_ERROR = "deploy_error"

# Of the registered model.
HANDLED = "champion_handled"  # the version that a watch acted on last
CHAMPION_AT = "champion_at."  # and a time: a change of the champion
