"""Each mark's statement as a sentence for a person."""

from marks.credentials import CredentialsFinding
from marks.recipe import Recipe
from marks.verify import GENERATED, Report
from marks.watermark import SMALLEST_SIDE, THRESHOLD
from marks.xmp import XmpFinding

WHAT = {
    "generate": "a face drawn",
    "edit": "the face of a photo drawn again",
    "grid": "several faces drawn, on one sheet",
    "morph": "faces drawn that turn into one another",
    "photo_edit": "the face of a photo changed",
    "translate": "a photo translated",
}
"""What each kind of job does."""


def credentials_words(report: Report) -> str:
    """Who signed, and whether anything has changed since."""
    found = report.credentials
    if not report.credentials_readable:
        return "Content credentials cannot be read here: c2pa-python is not installed."
    if found is None:
        return "The file is not signed."
    signer = found.signed_by or "somebody without a name"
    match found.state:
        case "trusted":
            said = f"Signed by {signer}: this service. Not a byte of picture or metadata has changed since."
        case "valid":
            said = f"Signed by {signer}, whom this service does not know. Nothing has changed since."
        case _:
            said = f"Signed by {signer}, and broken: {' '.join(found.reasons)}"
    return said + _source(found.source_type) + _ingredients(found)


def xmp_words(found: XmpFinding | None) -> str:
    """What the metadata say; nobody vouches for them unless the file is signed."""
    if found is None or not (found.recipe or found.source_type):
        return "The metadata do not say where the picture comes from."
    if found.recipe is None:
        software = f" Its software was {found.software}." if found.software else ""
        return f"The metadata come from elsewhere.{_source(found.source_type)}{software}"
    return f"The metadata hold the recipe of {found.recipe.software}: {recipe_words(found.recipe)}"


def recipe_words(recipe: Recipe) -> str:
    """What is needed to make the picture again."""
    what = WHAT.get(recipe.kind, "a picture made")
    seed = "" if recipe.seed is None else f" from the seed {recipe.seed}"
    said = f"{what} by the model {recipe.model} ({recipe.digest}){seed}."
    history = recipe.ingredient
    if history is None:
        return said
    if history.signed_by:
        said += f" The photo had been signed by {history.signed_by}."
    if history.watermark:
        said += " The photo carried the watermark of personne already."
    return said + _source(history.source_type).replace(" It says that it is", " The photo said of itself that it is")


def watermark_words(report: Report) -> str:
    """Whether our watermark is there, and how sure that is."""
    if not report.pixels_readable:
        return "The watermark was not looked for: films are not decoded here."
    found = report.watermark
    score = f"{found.score:.1f} deviations above chance, where {THRESHOLD:g} count"
    if not found.found:
        return f"No watermark ({score}). Pictures under {SMALLEST_SIDE} pixels carry none, and large crops lose it."
    left = (
        "" if found.kept == (1.0, 1.0) else f" About {found.kept[1]:.0%} of its width and {found.kept[0]:.0%} of its "
    )
    return f"The watermark of personne is in the pixels ({score})." + (f"{left}height are left." if left else "")


def _source(source_type: str | None) -> str:
    if source_type is None:
        return ""
    return f" It says that it is {GENERATED.get(source_type, f'of the kind {source_type}')}."


def _ingredients(found: CredentialsFinding) -> str:
    if not found.ingredients:
        return ""
    signers = ", ".join(dict.fromkeys(found.ingredients_signed_by))
    return " It was made from a photo" + (f" that {signers} had signed." if signers else ".")
