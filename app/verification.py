"""Reads a file's marks beside the event loop, a few files at a time, and finds the face that a recipe tells of."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import ValidationError

from app.errors import AppError, UnreadablePhoto, UploadsBusy
from app.gridding import GridQuery, grid_of
from app.morphing import MorphQuery, morph_of
from app.ordering import Ordering, read_seed
from app.schemas import PermanentQuery
from app.verify_schemas import CredentialsShown, RecipeShown, Verification, WatermarkShown, XmpShown
from jobs.contract import PictureFormat
from marks.certificates import root_of
from marks.errors import NotAPicture
from marks.recipe import Recipe
from marks.verify import Report, verify
from marks.watermark import THRESHOLD
from marks.words import credentials_words, watermark_words, xmp_words
from models.errors import ModelsError

AT_ONCE = 2
MOST_WAITING = 16
"""Files that wait for their turn; each takes a tenth of a second, a large PNG one."""


class Verifier:
    """certificate: PEM file whose last certificate vouches for pictures of this service; None: it signs none.

    Raises CertificateRefused, OSError.
    """

    def __init__(self, ordering: Ordering, certificate: Path | None) -> None:
        self._ordering = ordering
        self._root = None if certificate is None else root_of(certificate.read_bytes())
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="verify")
        self._in_hand = 0

    async def verification(self, body: bytes) -> Verification:
        """What the file's marks say. Raises UnreadablePhoto, UploadsBusy."""
        if self._in_hand >= AT_ONCE + MOST_WAITING:
            raise UploadsBusy
        self._in_hand += 1
        try:
            loop = asyncio.get_running_loop()
            report = await loop.run_in_executor(self._threads, verify, body, self._root)
        except NotAPicture:
            raise UnreadablePhoto from None
        finally:
            self._in_hand -= 1
        return self._shown(report)

    def _shown(self, report: Report) -> Verification:
        return Verification(
            verdict=report.verdict.value,
            sentence=report.sentence,
            c2pa=_credentials(report),
            xmp=_metadata(report),
            watermark=WatermarkShown(
                says=watermark_words(report),
                found=report.watermark.found,
                score=round(report.watermark.score, 1),
                threshold=THRESHOLD,
            ),
            recipe=None if report.recipe is None else self._recipe(report.recipe),
        )

    def _recipe(self, recipe: Recipe) -> RecipeShown:
        address, page = self._places(recipe)
        return RecipeShown(
            software=recipe.software,
            kind=recipe.kind,
            model=recipe.model,
            digest=recipe.digest,
            seed=None if recipe.seed is None else str(recipe.seed),
            parameters=dict(recipe.parameters),
            address=address,
            page=page,
        )

    def _places(self, recipe: Recipe) -> tuple[str, str] | tuple[None, None]:
        """Address and page of a face, a morph or a grid: checked as any request, since anybody can write a recipe."""
        asked = {**recipe.parameters, "model": recipe.digest}
        if "class" in asked:
            asked["class"] = str(asked["class"])
        try:
            if recipe.kind == "generate" and recipe.seed is not None:
                wishes = PermanentQuery.model_validate(asked).wishes
                job = self._ordering.face(read_seed(str(recipe.seed)), wishes, PictureFormat.JPEG)
                return self._ordering.address(job), self._ordering.page_address(job)
            if recipe.kind == "grid":
                return self._places_of_grid({name: str(value) for name, value in asked.items()})
            if recipe.kind == "morph":
                return self._places_of_morph(MorphQuery.model_validate(asked))
        except (AppError, ModelsError, ValidationError):
            pass
        return None, None

    def _places_of_grid(self, asked: Mapping[str, str]) -> tuple[str, str]:
        """The page shows its first face."""
        query = GridQuery.model_validate(asked)
        job, address = grid_of(query, self._ordering)
        wishes = replace(query.wishes, edits=job.edits)
        return address, self._ordering.page_address(self._ordering.face(job.seeds[0], wishes, PictureFormat.JPEG))

    def _places_of_morph(self, query: MorphQuery) -> tuple[str, str]:
        """The page shows it from the first face to the next."""
        job, address = morph_of(query, self._ordering)
        first = self._ordering.face(job.seeds[0], query.wishes, PictureFormat.JPEG)
        return address, f"{self._ordering.page_address(first)}&to={job.seeds[1]}"


def _metadata(report: Report) -> XmpShown:
    found, says = report.xmp, xmp_words(report.xmp)
    if found is None:
        return XmpShown(says=says)
    return XmpShown(says=says, source_type=found.source_type, software=found.software)


def _credentials(report: Report) -> CredentialsShown:
    says = credentials_words(report)
    if report.credentials is None:
        return CredentialsShown(says=says, state="absent" if report.credentials_readable else "unreadable")
    return CredentialsShown(says=says, **asdict(report.credentials))
