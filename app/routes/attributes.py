"""GET /v1/attributes: what of a model's faces can be moved, and how far."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from app.edit_schemas import ListedAttribute, ListedAttributes
from app.errors import INVALID_PARAMETER, UnknownParameter
from app.ordering import Ordering
from app.replies import NEVER, problems_documented
from app.schemas import ModelChoice
from models.directions import Direction
from models.errors import ModelNotFound, WrongKindOfModel


class AttributesQuery(BaseModel):
    """Which model's."""

    model: ModelChoice = None


def attributes_routes(ordering: Ordering) -> APIRouter:
    """GET /v1/attributes."""
    router = APIRouter(tags=["edits"])

    @router.get(
        "/v1/attributes",
        summary="The attributes of a model",
        responses=problems_documented(ModelNotFound, WrongKindOfModel, UnknownParameter, INVALID_PARAMETER),
    )
    async def attributes(response: Response, query: Annotated[AttributesQuery, Query()]) -> ListedAttributes:
        """Each attribute is a parameter of every face of that model. Empty for a model whose directions nobody has
        looked for yet; what `personne directions` finds is here within seconds.
        """
        response.headers["Cache-Control"] = NEVER
        entry = ordering.model(query.model)
        return ListedAttributes(
            model=entry.generator.digest,
            name=entry.generator.name,
            directions=entry.directions.digest,
            attributes=[_listed(direction) for direction in entry.directions.values()],
        )

    return router


def _listed(direction: Direction) -> ListedAttribute:
    return ListedAttribute(
        name=direction.name,
        minimum=direction.low,
        maximum=direction.high,
        meaning=direction.meaning,
        method=direction.method,
        space=direction.space,
        layers=direction.layers,
        accuracy=direction.accuracy,
        measure=direction.measure,
    )
