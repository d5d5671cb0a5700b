"""What only routes show on their page: whom they ask in which order, and who really served."""

from opsroom.kit.db import Tx
from opsroom.kit.wire import adapter
from opsroom.models.route import RouteSpec, Target
from opsroom.registry import Version
from opsroom.registry.drawing import KindPage, Panel

from .completions.faces import faces

PATH = "/routes"
SHOWN = 20
HERE = "the installation's endpoint"


def draw(tx: Tx, version: Version) -> Panel:
    """The models of a route with their shares, its patience, and the faces its models showed."""
    spec = adapter(RouteSpec).validate_python(version.spec)
    total = sum(one.weight for one in spec.targets)
    asked = [
        *(_row(one, f"{100 * one.weight / total:.0f} % of calls") for one in spec.targets),
        *(_row(one, f"fallback {number}") for number, one in enumerate(spec.fallbacks, 1)),
    ]
    models = {one.model for one in spec.everybody}
    ends = {(one.endpoint, one.model) for one in spec.everybody}
    bare = {model for endpoint, model in ends if not endpoint}
    seen = [
        one
        for one in faces(tx, models=models, limit=200)
        if (one.endpoint, one.model) in ends or one.model in bare
    ]
    return Panel(
        template="gateway/route.html",
        facts={"spec": spec, "asked": asked, "faces": seen[:SHOWN]},
    )


def _row(target: Target, share: str) -> dict[str, str]:
    return {
        "model": target.model,
        "share": share,
        "endpoint": target.endpoint or HERE,
        "api": target.api.value,
        "secret": target.secret or ("none" if target.endpoint else HERE),
    }


PAGE_OF_KIND = KindPage(
    kind="route",
    path=PATH,
    plural="routes",
    question="Which models answer, and who takes over?",
    absent="Programs that speak OpenAI's API ask for a route by its name. Write down which models answer.",
    command="opsroom route store NAME route.yaml",
    draw=draw,
    served=False,
    cited="is asked in the version that production names, or that an agent cites",
)
