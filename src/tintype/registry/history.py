"""Who was champion when: one tag for each change, on the registered model.

A change is written once and never altered, each under a key of its own, so that two writers lose nothing. MLflow keeps
no time with an alias, and people move it in MLflow's pages, which know nothing of this: `notice` sees such a change
later and writes it down then. The code here moves the alias first and writes afterwards. If the change is noticed in
between, it is written twice, and `read` makes one of the two.
"""

from __future__ import annotations

import getpass
import json
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tintype.registry import tags
from tintype.registry.store import RegistryError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import RegisteredModel

CHAMPION = "champion"
ROLLBACK = "tintype rollback"
_TIME = "%Y%m%dT%H%M%S.%fZ"
_SEEN = "MLflow, seen by "


@dataclass(frozen=True)
class Change:
    """A change of the champion.

    Attributes
    ----------
    at : datetime
        In UTC; of a change that was noticed later, when it was noticed.
    version : str
        The champion from then on, such as ``"3"``; empty if the alias was taken away.
    previous : str
        The champion until then; empty if there was none.
    by : str
        What moved the alias: ``"tintype promote"``, ``"MLflow, seen by tintype history"``, ...
    reason : str
        As the person gave it; empty if none was given.
    forced : bool
        Whether it became champion in spite of the verdict ``fail``.
    user : str
        The person's name on their machine; empty if it is not known.
    """

    at: datetime
    version: str
    previous: str
    by: str
    reason: str = ""
    forced: bool = False
    user: str = ""

    def describe(self) -> dict[str, Any]:
        """The fields as JSON takes them."""
        return {**asdict(self), "at": self.at.isoformat().replace("+00:00", "Z")}


def record(
    client: MlflowClient,
    name: str,
    version: str,
    previous: str,
    by: str,
    reason: str = "",
    *,
    forced: bool = False,
    user: str | None = None,
) -> Change:
    """Record a change, with the fields of `Change`, after the alias was moved.

    Without `user` it is the person who runs this. The time is later than that of any change that is written already,
    even if another machine's clock was ahead of this one's.
    """
    written = _written(client.get_registered_model(name))
    at = datetime.now(UTC)
    if written and at <= written[-1].at:
        # By chance, since another writer who sees the same would take the same key otherwise.
        at = written[-1].at + timedelta(microseconds=1 + secrets.randbelow(10**6))
    change = Change(at, version, previous, by, reason, forced, _user() if user is None else user)
    fields = {key: value for key, value in asdict(change).items() if key != "at"}
    client.set_registered_model_tag(
        name, tags.CHAMPION_AT + at.strftime(_TIME), json.dumps(fields, ensure_ascii=False)
    )
    return change


def read(client: MlflowClient, name: str) -> list[Change]:
    """All known changes of a model's champion, oldest first; no two in a row are of one version.

    Raises
    ------
    RegistryError
        If a tag of the history holds something else.
    """
    return _merged(_written(client.get_registered_model(name)))


def notice(client: MlflowClient, name: str, seen_by: str = "tintype") -> Change | None:
    """Compare the history with the alias as it stands, and record a change that it lacks.

    `seen_by` says who looks, such as ``"tintype watch"``. None if the history ends with the present champion.

    Raises
    ------
    RegistryError
        As `read`.
    """
    model = client.get_registered_model(name)  # aliases and tags of one moment
    changes, champion = _written(model), champion_of(model)
    known = changes[-1].version if changes else ""
    if champion == known:
        return None
    return record(client, name, champion, known, _SEEN + seen_by, user="")


def champion_of(model: RegisteredModel) -> str:
    """The number of the champion; empty if there is none."""
    return str(model.aliases.get(CHAMPION, ""))


def way_back(changes: Iterable[Change]) -> list[str]:
    """The champions that a rollback can return to.

    A promotion goes on top of the pile; a rollback takes off what lies above the version that it returns to. So the
    next rollback goes further back, and never to a version that was rolled back from.

    Parameters
    ----------
    changes : iterable of Change
        Oldest first.

    Returns
    -------
    list of str
        Version numbers, the oldest first and the champion last; an empty one stands for a time without a champion.
    """
    pile: list[str] = []
    for change in changes:
        if change.by == ROLLBACK and change.version in pile:
            while pile[-1] != change.version:
                pile.pop()
        elif not pile or pile[-1] != change.version:
            pile.append(change.version)
    return pile


def _written(model: RegisteredModel) -> list[Change]:
    keys = sorted(key for key in model.tags if key.startswith(tags.CHAMPION_AT))
    return [_parsed(model.name, key, model.tags[key]) for key in keys]


def _parsed(name: str, key: str, value: str) -> Change:
    try:
        at = datetime.strptime(key.removeprefix(tags.CHAMPION_AT), _TIME).replace(tzinfo=UTC)
        fields = json.loads(value)
        return Change(
            at,
            str(fields["version"]),
            str(fields["previous"]),
            str(fields["by"]),
            str(fields.get("reason", "")),
            bool(fields.get("forced", False)),
            str(fields.get("user", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(
            f"Expected a change of the champion in the tag {key} of the model {name}. Received: {value[:200]!r} "
            f"({type(error).__name__}: {error}). Somebody has altered it: remove the tag in MLflow's pages."
        ) from None


def _merged(changes: Iterable[Change]) -> list[Change]:
    """One change for each that was written twice: by who made it and by who noticed it."""
    merged: list[Change] = []
    for change in changes:
        if not merged or merged[-1].version != change.version:
            merged.append(change)
        elif merged[-1].by.startswith(_SEEN) and not change.by.startswith(_SEEN):
            merged[-1] = change
    return merged


def _user() -> str:
    with suppress(KeyError, OSError):  # a container's user may have no name
        return getpass.getuser()
    return ""
