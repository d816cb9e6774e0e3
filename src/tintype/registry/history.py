"""Who was champion when: a tag on the registered model for each change. Only as much of it as `tintype watch` calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PREFIX = "champion_at."
_CHAMPION = "champion"


def notice(client: MlflowClient, name: str, by: str) -> None:
    """Take down a change of the champion that the history does not have yet.

    Parameters
    ----------
    client : MlflowClient
    name : str
        Of the registered model.
    by : str
        Who changed it, or saw the change.
    """
    model = client.get_registered_model(name)
    events = {key: value for key, value in model.tags.items() if key.startswith(_PREFIX)}
    previous = json.loads(events[max(events)])["version"] if events else ""
    version = str(model.aliases.get(_CHAMPION, ""))
    if version == previous:
        return
    event = {"version": version, "previous": previous, "by": by, "reason": "", "forced": False}
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    client.set_registered_model_tag(name, f"{_PREFIX}{at}", json.dumps(event))
