"""Looking things up in the registry."""

from opsroom.kit import choices
from opsroom.kit.db import Tx

from . import checklist_store, environments, rules, store
from .checklist import ReviewSettings
from .errors import ArtifactNotFound, ProposalNotFound, VersionNotFound
from .kinds import Kind, Lookup
from .model import (
    LATEST,
    PRODUCTION,
    Artifact,
    Criticality,
    Label,
    LabelMove,
    Proposal,
    ProposalState,
    Ref,
    Stamp,
    Version,
)

PAGE = 100


def artifact(tx: Tx, kind: str, name: str) -> Artifact:
    """One artifact of this project, or `ArtifactNotFound`."""
    found = store.artifact(tx, kind, name)
    if found is None:
        raise ArtifactNotFound(kind, name)
    return found


def found(tx: Tx, kind: str, name: str) -> Artifact | None:
    """The artifact, or None where there is none."""
    return store.artifact(tx, kind, name)


def version(tx: Tx, ref: Ref) -> Version:
    """The version that a reference names: by number, by label, or (without either) the latest.

    Raises `ArtifactNotFound` or `VersionNotFound`.
    """
    of = artifact(tx, ref.kind, ref.name)
    if ref.at in {"", LATEST}:
        found = store.latest(tx, of)
    elif ref.number is not None:
        found = store.version(tx, of, ref.number)
    else:
        label = store.label(tx, of, ref.at)
        found = store.version(tx, of, label.number) if label else None
    if found is None:
        raise VersionNotFound(ref.kind, ref.name, ref.at or LATEST)
    return found


def in_force(tx: Tx, kind: str, name: str) -> Version:
    """The version that production names, or the newest where it names none.

    Raises `ArtifactNotFound`, or `VersionNotFound` where there is no version at all.
    """
    of = artifact(tx, kind, name)
    label = store.label(tx, of, PRODUCTION)
    return version(tx, Ref(kind, name, PRODUCTION if label else LATEST))


def counts_at_once(tx: Tx, kind: Kind, name: str) -> bool:
    """Whether the next version counts as soon as it is there. Raises `ArtifactNotFound`."""
    of = artifact(tx, kind.name, name)
    match kind.newest_counts:
        case "never":
            return False
        case "unlabelled":
            return store.label(tx, of, PRODUCTION) is None
        case "always":
            return True


def stamp(tx: Tx, ref: Ref) -> Stamp:
    """Which version a number or a label names, without reading it: one small query, for those
    that keep what a version says. Raises as `version` does.
    """
    found = store.stamp(tx, ref) if ref.at not in {"", LATEST} else None
    if found is None:
        one = version(tx, ref)
        found = store.stamp(tx, Ref(one.kind, one.name, str(one.number)))
        assert found is not None, "a version that was read is there"
    return found


def lookup(tx: Tx) -> Lookup:
    """A function that finds versions in this transaction by the text of a reference."""

    def find(reference: str, *, kind: str = "") -> Version:
        return version(tx, Ref.parse(reference, kind=kind))

    return find


def has_versions(tx: Tx, kind: str, name: str) -> bool:
    of = found(tx, kind, name)
    return of is not None and store.latest(tx, of) is not None


def versions(
    tx: Tx, kind: str, name: str, *, before: int | None = None, limit: int = PAGE
) -> list[Version]:
    """Versions of an artifact, newest first; go on with the smallest number as `before`."""
    return store.versions_page(tx, artifact(tx, kind, name), before=before, limit=limit)


def artifacts(
    tx: Tx,
    kind: str,
    *,
    after: str = "",
    limit: int = PAGE,
    search: str = "",
    archived: bool = False,
) -> list[tuple[Artifact, int, list[Label]]]:
    """Artifacts of a kind by name, each with its number of versions and its labels: those that
    are needed, or those that are archived.
    """
    page = store.artifacts_page(
        tx, kind, after=after, limit=limit, search=search, archived=archived
    )
    labels = store.labels_of_many(tx, [one.id for one, _ in page])
    return [(one, count, labels.get(one.id, [])) for one, count in page]


def guards(tx: Tx, kind: str, name: str) -> tuple[str, ...]:
    """What has to stay right whenever something changes: the datasets `corrections-NAME`,
    `regressions-NAME` and `attacks-NAME`, as far as there are any.
    """
    if kind not in rules.GUARDED:
        return ()
    wanted = (f"{one}-{name}" for one in rules.GUARDS)
    return tuple(one for one in wanted if has_versions(tx, "dataset", one))


def review_settings(tx: Tx) -> ReviewSettings:
    """What this project asks of reviews."""
    return choices.load(tx, checklist_store.review_settings, ReviewSettings)


def needs(
    tx: Tx, of: Artifact, label: str, *, first: bool, criticality: Criticality | None = None
) -> rules.Needs:
    """What moving a label of something takes today; `first` where it points nowhere yet. Another
    `criticality` stands in for its own where somebody stricter decides.
    """
    level = criticality or of.criticality
    judged = environments.at_least(tx, level, label)
    return environments.needs(
        tx,
        level,
        label,
        first=first,
        guarded=bool(guards(tx, of.kind, of.name)),
        listed=of.kind in rules.GUARDED and judged in review_settings(tx).checklist,
    )


def guarded_by(dataset: str) -> str:
    """The name of the prompt and the agent that a dataset of that name guards; mostly none."""
    for one in rules.GUARDS:
        if dataset.startswith(f"{one}-"):
            return dataset.removeprefix(f"{one}-")
    return ""


def open_proposals(tx: Tx, kind: str, name: str) -> list[Proposal]:
    """The newest hundred proposals that wait to be merged; none where there is no such artifact."""
    if found(tx, kind, name) is None:
        return []
    return proposals(tx, state=ProposalState.OPEN, kind=kind, name=name)


def counts(tx: Tx, *, archived: bool = False) -> dict[str, int]:
    """How many artifacts of each kind there are that are needed, or that are archived."""
    return store.count_artifacts(tx, archived=archived)


def labels(tx: Tx, kind: str, name: str) -> list[Label]:
    return store.labels_of(tx, artifact(tx, kind, name))


def label(tx: Tx, kind: str, name: str, label: str) -> Label | None:
    """Where a label points, or None while it points nowhere."""
    return store.label(tx, artifact(tx, kind, name), label)


def label_history(
    tx: Tx, kind: str, name: str, label: str | None = None, *, limit: int = PAGE
) -> list[LabelMove]:
    """How the labels of an artifact moved, newest first."""
    return store.moves_of(tx, artifact(tx, kind, name), label, limit=limit)


def proposal(tx: Tx, proposal_id: str) -> Proposal:
    found = store.proposal(tx, proposal_id)
    if found is None:
        raise ProposalNotFound(proposal_id)
    return found


def proposals(
    tx: Tx,
    *,
    state: ProposalState | None = None,
    kind: str | None = None,
    name: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> list[Proposal]:
    """Proposals, newest first, of everything or of one artifact."""
    of = artifact(tx, kind, name) if kind and name else None
    return store.proposals_page(tx, state=state, of=of, before=before, limit=limit)
