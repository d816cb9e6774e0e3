"""What the registry knows of the champion's deployment: which version it is, and what was done about it.

The tags of the version are for people: `packaged` (the Bento), `deployed_at` and `deploy_error`. They stay when another
version is promoted, so they do not show whether *this* promotion was acted on: a version may come back. The tag
`champion_handled` of the registered model does. It is the version that was acted on last, and is written last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tintype.registry import tags
from tintype.registry.history import CHAMPION, notice
from tintype.registry.resolve import store_at_hand
from tintype.registry.store import SCHEME, answering, connect, find_store


@dataclass(frozen=True)
class DeploymentState:
    """The champion and what was done about it.

    Attributes
    ----------
    name, version : str
        Of the registered model, and the number.
    packaged : str
        Tag of its Bento; empty if it has none.
    deployed_at : str
        Time of its last successful deployment; empty if there was none.
    deploy_error : str
        Why packing or deploying failed the last time; empty if it did not fail.
    handled : bool
        Whether it was acted on since it became the champion, with or without success.
    """

    name: str
    version: str
    packaged: str
    deployed_at: str
    deploy_error: str
    handled: bool

    @property
    def address(self) -> str:
        """The address by number, which no alias moves."""
        return f"{SCHEME}{self.name}/{self.version}"


def champion_state(name: str, seen_by: str) -> DeploymentState | None:
    """The champion as it is now. A change that the history does not have yet is written down.

    Each call connects anew, within a minute: a registry that was down is simply there again.

    Parameters
    ----------
    name : str
        Of the registered model.
    seen_by : str
        Who looks, for the history.

    Returns
    -------
    DeploymentState or None
        None if there is no registry yet, no such model in it, or no champion.

    Raises
    ------
    NoAnswerError
        If the registry does not answer.
    """
    store = store_at_hand()
    if store is None:
        return None
    client = connect(store)
    with answering(store):
        found = client.search_registered_models(f"name = '{name}'", max_results=1)
        if not found:
            return None
        notice(client, name, seen_by)
        model = found[0]
        if CHAMPION not in model.aliases:
            return None
        number = str(model.aliases[CHAMPION])
        done = client.get_model_version(name, number).tags
    return DeploymentState(
        name=name,
        version=number,
        packaged=done.get(tags.PACKAGED, ""),
        deployed_at=done.get(tags.DEPLOYED_AT, ""),
        deploy_error=done.get(tags.DEPLOY_ERROR, ""),
        handled=model.tags.get(tags.HANDLED) == number,
    )


def write_state(state: DeploymentState, values: Mapping[str, str | None], *, handled: bool = False) -> None:
    """Write tags of a version, and then note that it was acted on, if that is complete.

    Parameters
    ----------
    state : DeploymentState
        Names the version.
    values : mapping of str to str or None
        By name; None removes one.
    handled : bool
        Whether nothing is left to be done for this promotion.

    Raises
    ------
    NoAnswerError
        If the registry does not answer.
    """
    store = find_store()
    client = connect(store)
    with answering(store):
        known = client.get_model_version(state.name, state.version).tags
        for key, value in values.items():
            if value is not None:
                client.set_model_version_tag(state.name, state.version, key, value)
            elif key in known:
                client.delete_model_version_tag(state.name, state.version, key)
        if handled:
            client.set_registered_model_tag(state.name, tags.HANDLED, state.version)
