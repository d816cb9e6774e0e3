"""Making a version the champion, and taking that back: what a person may also do in MLflow's pages, with a guard.

The alias is moved only to a version whose files are whole, and to one that was judged worse than the champion of its
time only with a reason, which is kept. It is moved before the change is written down: see `tintype.registry.history`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tintype.registry import history, tags
from tintype.registry.history import CHAMPION, ROLLBACK, Change
from tintype.registry.resolve import open_registry, version_at, what_there_is
from tintype.registry.store import NOT_FOUND, SCHEME, RegistryError, Store, answering
from tintype.registry.versions import check_files

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

PROMOTE = "tintype promote"
_LONGEST = 2000  # characters of a reason: a sentence or two, and every store takes them


class VerdictError(RegistryError):
    """The version was judged worse than the champion, and no reason was given to promote it in spite of that."""


@dataclass(frozen=True)
class Promotion:
    """The result of a promotion or a rollback.

    Attributes
    ----------
    name : str
        Of the registered model.
    version : str
        The champion now.
    previous : str
        The champion before; empty if there was none; the same if nothing was changed.
    verdict, verdict_reasons, compared_with : str
        As the comparison left them on the version; empty if there was none.
    forced : bool
        Whether it is champion in spite of the verdict ``fail``.
    """

    name: str
    version: str
    previous: str
    verdict: str
    verdict_reasons: str
    compared_with: str
    forced: bool

    @property
    def changed(self) -> bool:
        """Whether the version became champion by this; else it was before."""
        return self.version != self.previous


def promote(
    version: str,
    name: str,
    *,
    force: str | None = None,
    reason: str = "",
    store: Store | None = None,
) -> Promotion:
    """Make a version the champion.

    Parameters
    ----------
    version : str
        A number such as ``"3"``, an alias such as ``"challenger"``, or a whole address ``models:/tintype/3``.
    name : str
        Of the registered model; an address has its own.
    force : str, optional
        Why it shall be champion in spite of the verdict ``fail``; becomes a tag of the version too.
    reason : str
        Kept in the history.
    store : Store, optional
        Where; the project's if not given.

    Returns
    -------
    Promotion
        For the champion itself nothing is changed.

    Raises
    ------
    VerdictError
        If the verdict is ``fail`` and there is no `force`.
    RegistryError
        If the store does not answer, there is no such version, its files are not whole, or a reason is empty or longer
        than 2,000 characters.
    """
    force, reason = None if force is None else _one_line(force), _one_line(reason)
    if force == "":
        raise RegistryError("Expected with --force why the version shall be champion. Received: no words.")
    uri = _address(version, name)
    store, client = open_registry(uri, store)
    with answering(store):
        wanted = version_at(client, uri)
        history.notice(client, wanted.name, PROMOTE)
        previous = history.champion_of(client.get_registered_model(wanted.name))
        check_files(client, store, wanted)
        made = _promotion(wanted, previous)
        if not made.changed:
            return made
        if made.forced:
            if force is None:
                raise _refusal(made)
            client.set_model_version_tag(made.name, made.version, tags.FORCED, force)
        client.set_registered_model_alias(made.name, CHAMPION, made.version)
        words = "; ".join(part for part in (force, reason) if part)
        history.record(client, made.name, made.version, previous, PROMOTE, words, forced=made.forced)
        return made


def rollback(name: str, *, reason: str = "", store: Store | None = None) -> Promotion:
    """Make the champion before this one the champion again.

    A second rollback goes further back. The verdict of a version that has been in service is not asked again. The
    reason is kept in the history.

    Raises
    ------
    RegistryError
        If the store does not answer, the history knows of no champion before, or its files are not whole.
    """
    reason = _one_line(reason)
    store, client = open_registry(f"the model {name}", store)
    with answering(store):
        _model(client, name)
        history.notice(client, name, ROLLBACK)
        *before, current = history.way_back(history.read(client, name)) or [""]
        target = next((version for version in reversed(before) if version not in ("", current)), None)
        if target is None:
            raise RegistryError(
                f"Expected a champion of {name} before {_or_now(current)}, but its history has none. Say which version "
                f"it shall be: `{PROMOTE} VERSION`. {what_there_is(client, name)}"
            )
        wanted = version_at(client, f"{SCHEME}{name}/{target}")
        check_files(client, store, wanted)
        client.set_registered_model_alias(name, CHAMPION, target)
        history.record(client, name, target, current, ROLLBACK, reason)
        return _promotion(wanted, current)


def champions(name: str, *, seen_by: str, store: Store | None = None) -> list[Change]:
    """The history of a model's champions, oldest first, after a look at who is champion now.

    `seen_by` says who looks, should the history lack the last change.

    Raises
    ------
    RegistryError
        If the store does not answer, or there is no such model.
    """
    store, client = open_registry(f"the model {name}", store)
    with answering(store):
        _model(client, name)
        history.notice(client, name, seen_by)
        return history.read(client, name)


def _promotion(version: ModelVersion, previous: str) -> Promotion:
    verdict = version.tags.get(tags.VERDICT, "")
    return Promotion(
        version.name,
        str(version.version),
        previous,
        verdict,
        version.tags.get(tags.REASONS, ""),
        version.tags.get(tags.RIVAL, ""),
        forced=verdict == tags.FAIL,
    )


def _refusal(made: Promotion) -> VerdictError:
    compared = f" beside version {made.compared_with}" if made.compared_with else ""
    reasons = f": {made.verdict_reasons.strip()}" if made.verdict_reasons.strip() else "."
    return VerdictError(
        f"Version {made.version} of {made.name} was judged {tags.FAIL}{compared}{reasons} To promote it all the same, "
        f'say why: `{PROMOTE} {made.version} --force "REASON"`.'
    )


def _address(version: str, name: str) -> str:
    if version.startswith(SCHEME):
        return version
    return f"{SCHEME}{name}/{version}" if version.isdecimal() else f"{SCHEME}{name}@{version}"


def _one_line(reason: str) -> str:
    """A reason as it is kept, on one line."""
    words = " ".join(reason.split())
    if len(words) > _LONGEST:
        raise RegistryError(
            f"Expected a reason of at most {_LONGEST:,} characters. Received: {len(words):,}."
        )
    return words


def _model(client: MlflowClient, name: str) -> RegisteredModel:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
    raise RegistryError(f"There is no model {name} in the registry. {what_there_is(client, name)}")


def _or_now(version: str) -> str:
    return f"version {version}" if version else "now"
