"""What is known in the registry of the version that an alias names now, and of what was done about it.

Tags of the version are for people: `packaged` (the Bento), `deployed_at` and `deploy_error`. They stay when another
version is promoted, so they cannot tell whether *this* promotion was acted on: a version may come back. That is the
tag `champion_handled` of the registered model, the version that was acted on last, which is written last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tintype.registry.history import CHAMPION, notice
from tintype.registry.resolve import store_at_hand
from tintype.registry.store import answering, connect, find_store
from tintype.registry.version_files import SCHEME

PACKAGED, DEPLOYED_AT, DEPLOY_ERROR = "packaged", "deployed_at", "deploy_error"
HANDLED = "champion_handled"


@dataclass(frozen=True)
class Rollout:
    """The champion and what was done about it.

    Attributes
    ----------
    name, version : str
        Of the registered model, and the number.
    packaged : str
        Tag of its Bento; empty if it has none.
    deployed_at : str
        Time of its last deployment that did not fail; empty if there was none.
    deploy_error : str
        Why packing or deploying failed the last time; empty if it did not.
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
        """The version's, which no alias moves."""
        return f"{SCHEME}{self.name}/{self.version}"


class Rollouts:
    """The champion in the registry, looked at again and again.

    Every call connects anew and is bounded by a minute: a registry that was down is simply there again.

    Parameters
    ----------
    name : str
        Of the registered model.
    by : str
        For the history: who sees a change.
    """

    def __init__(self, name: str, by: str) -> None:
        self._name = name
        self._by = by

    def look(self) -> Rollout | None:
        """The champion as it is now; a change that the history does not have is taken down.

        Returns
        -------
        Rollout or None
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
            found = client.search_registered_models(f"name = '{self._name}'", max_results=1)
            if not found:
                return None
            notice(client, self._name, self._by)
            aliases, tags = found[0].aliases, found[0].tags
            if CHAMPION not in aliases:
                return None
            number = str(aliases[CHAMPION])
            done = client.get_model_version(self._name, number).tags
        return Rollout(
            name=self._name,
            version=number,
            packaged=done.get(PACKAGED, ""),
            deployed_at=done.get(DEPLOYED_AT, ""),
            deploy_error=done.get(DEPLOY_ERROR, ""),
            handled=tags.get(HANDLED) == number,
        )

    def remember(self, promotion: Rollout, tags: Mapping[str, str | None]) -> None:
        """Write tags of a version.

        Parameters
        ----------
        promotion : Rollout
            The version.
        tags : mapping of str to str or None
            By name; None removes one.

        Raises
        ------
        NoAnswerError
            If the registry does not answer.
        """
        store = find_store()
        client = connect(store)
        with answering(store):
            known = client.get_model_version(promotion.name, promotion.version).tags
            for key, value in tags.items():
                if value is not None:
                    client.set_model_version_tag(promotion.name, promotion.version, key, value)
                elif key in known:
                    client.delete_model_version_tag(promotion.name, promotion.version, key)

    def settle(self, promotion: Rollout) -> None:
        """Note that a promotion was acted on to its end.

        Raises
        ------
        NoAnswerError
            If the registry does not answer.
        """
        store = find_store()
        client = connect(store)
        with answering(store):
            client.set_registered_model_tag(promotion.name, HANDLED, promotion.version)
