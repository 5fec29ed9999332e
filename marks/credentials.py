"""Content credentials (C2PA): who signed a picture, what was done to it, and whether a byte has changed since."""

import io
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from marks.animations import gif_c2pa, is_gif, is_mp4
from marks.certificates import algorithm_of, root_of
from marks.errors import CertificateRefused, CredentialsMissing
from marks.recipe import Recipe

try:
    import c2pa
except ImportError:
    # A system for which there is no build: pictures are marked without credentials then.
    c2pa = None

# Without the first two, signing takes 50 ms and adds 45 to 300 KB; the last keeps c2pa from fetching what a file names.
SETTINGS: Mapping[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False},
}
PHOTO = "photo"
ACTIONS = {"c2pa.actions", "c2pa.actions.v2"}
PADDING = b"cpadY"
"""How the filling behind a signature begins: a CBOR text `pad`, and a byte string with a length of two bytes."""
WHAT_FAILED = {
    "assertion.dataHash.mismatch": "The picture or its metadata has changed since it was signed.",
    "assertion.hashedURI.mismatch": "What the credentials say has changed since they were signed.",
    "claimSignature.mismatch": "The signature does not belong to these credentials.",
    "signingCredential.expired": "The signer's certificate had expired.",
    "signingCredential.invalid": "The signer's certificate is not made for signing pictures.",
}
DAMAGED = "The credentials are damaged."
HARMLESS = {"signingCredential.untrusted"}


@dataclass(frozen=True, slots=True)
class CredentialsFinding:
    """What the credentials of a file say.

    state: `trusted`: unchanged, signed by whom this service trusts; `valid`: unchanged, signed by somebody else;
    `invalid`: changed, or wrongly signed. signed_by: as the certificate has it. software: what wrote them.
    source_type: IPTC's, of the last action that names one. ingredients: how many pictures went into it, and
    ingredients_signed_by whose credentials those had. reasons: of what is invalid, in sentences.
    """

    state: Literal["trusted", "valid", "invalid"]
    signed_by: str | None = None
    software: str | None = None
    source_type: str | None = None
    ingredients: int = 0
    ingredients_signed_by: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def credentials_installed() -> bool:
    """Whether c2pa-python is here."""
    return c2pa is not None


class Credentials:
    """Signs pictures. chain: PEM certificates, the signer's first. key: its PEM key. May be used by several threads.

    Raises CredentialsMissing, CertificateRefused.
    """

    def __init__(self, chain: bytes, key: bytes) -> None:
        if not credentials_installed():
            raise CredentialsMissing
        algorithm = algorithm_of(chain, key)
        # No time stamp authority: nothing leaves the machine.
        signer = c2pa.C2paSignerInfo(alg=algorithm.encode(), sign_cert=chain, private_key=key, ta_url=None)
        self.root = root_of(chain)
        self._context = c2pa.Context.from_dict(dict(SETTINGS))
        try:
            self._signer = c2pa.Signer.from_info(signer)
        except c2pa.C2paError as error:
            raise CertificateRefused(f"C2PA refuses the certificate or its key: {error}.") from None

    def signed(self, body: bytes, media_type: str, recipe: Recipe, photo: bytes | None = None) -> bytes:
        """The file with credentials that say what was done. photo: the upload that it was made from; credentials that
        it carries go on as its own, and nothing else of it. Different bytes at each call."""
        ingredient = {"relationship": "parentOf", "instance_id": PHOTO, "format": media_type_of(photo or b"")}
        if recipe.ingredient is None:
            return self._built(_manifest(recipe), body, media_type)
        if photo is not None:
            with suppress(c2pa.C2paError):
                return self._built(_manifest(recipe), body, media_type, ingredient, photo)
        # A photo that Pillow reads and c2pa does not: it went in all the same.
        return self._built({**_manifest(recipe), "ingredients": [ingredient]}, body, media_type)

    def _built(
        self,
        manifest: Mapping[str, Any],
        body: bytes,
        media_type: str,
        ingredient: Mapping[str, str] | None = None,
        photo: bytes = b"",
    ) -> bytes:
        with c2pa.Builder(json.dumps(manifest), self._context) as builder:
            if ingredient is not None:
                builder.add_ingredient(json.dumps(ingredient), ingredient["format"], io.BytesIO(photo))
            signed = io.BytesIO()
            builder.sign(self._signer, media_type, io.BytesIO(body), signed)
            return signed.getvalue()


def read(body: bytes, root: bytes | None = None) -> CredentialsFinding | None:
    """What the credentials in a file say; None where it has none. root: PEM certificate of whom to trust.

    Never goes to the network, whatever the file asks for. Raises CredentialsMissing.
    """
    if not credentials_installed():
        raise CredentialsMissing
    settings = dict(SETTINGS) if root is None else {**SETTINGS, "trust": {"trust_anchors": root.decode()}}
    try:
        context = c2pa.Context.from_dict(settings)
        with context, c2pa.Reader(media_type_of(body), io.BytesIO(body), context=context) as reader:
            store = json.loads(reader.json())
            state = str(reader.get_validation_state())
    except c2pa.C2paError as error:
        if str(error).startswith("ManifestNotFound"):
            return None
        return CredentialsFinding("invalid", reasons=(DAMAGED,))
    return _finding(store, "Invalid" if _padding_changed(gif_c2pa(body) if is_gif(body) else body) else state)


def media_type_of(body: bytes) -> str:
    """By how the file begins."""
    if body.startswith(b"\x89PNG"):
        return "image/png"
    if is_gif(body):
        return "image/gif"
    if is_mp4(body):
        return "video/mp4"
    return "image/webp" if body[8:12] == b"WEBP" else "image/jpeg"


def _manifest(recipe: Recipe) -> dict[str, Any]:
    name, _, version = recipe.software.partition(" ")
    made = {"action": "c2pa.created", "digitalSourceType": recipe.source_type.value}
    actions = [made]
    if recipe.ingredient is not None:
        opened: dict[str, Any] = {"action": "c2pa.opened", "parameters": {"ingredientIds": [PHOTO]}}
        actions = [opened, {**made, "action": "c2pa.edited"}]
    return {
        "claim_generator_info": [{"name": name, "version": version}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def _finding(store: Mapping[str, Any], state: str) -> CredentialsFinding:
    manifests = store.get("manifests", {})
    manifest = manifests.get(store.get("active_manifest"), {})
    ingredients = manifest.get("ingredients", ())
    generators = manifest.get("claim_generator_info") or [{}]
    parents = [manifests[one["active_manifest"]] for one in ingredients if one.get("active_manifest") in manifests]
    failures = store.get("validation_results", {}).get("activeManifest", {}).get("failure", ())
    codes = [failure.get("code", "") for failure in failures if failure.get("code") not in HARMLESS]
    told: tuple[str, ...] = ()
    if state == "Invalid":
        told = tuple(dict.fromkeys(WHAT_FAILED.get(code, f"C2PA says {code}.") for code in codes))
        told = told or ("The filling of the signature has changed since it was signed.",)
    return CredentialsFinding(
        state={"Trusted": "trusted", "Valid": "valid"}.get(state, "invalid"),  # type: ignore[arg-type]
        signed_by=_signer(manifest),
        software=" ".join(str(generators[0][part]) for part in ("name", "version") if part in generators[0]) or None,
        source_type=_source_type(manifest),
        ingredients=len(ingredients),
        ingredients_signed_by=tuple(name for one in parents if (name := _signer(one)) is not None),
        reasons=told,
    )


def _signer(manifest: Mapping[str, Any]) -> str | None:
    signature = manifest.get("signature_info", {})
    names = dict.fromkeys(str(signature[part]) for part in ("common_name", "issuer") if signature.get(part))
    return ", ".join(names) or None


def _source_type(manifest: Mapping[str, Any]) -> str | None:
    found = None
    for assertion in manifest.get("assertions", ()):
        if assertion.get("label") in ACTIONS:
            actions = assertion.get("data", {}).get("actions", ())
            found = next((a["digitalSourceType"] for a in reversed(actions) if "digitalSourceType" in a), found)
    return found


def _padding_changed(body: bytes) -> bool:
    """Whether the filling behind a signature is no longer all zeros: the one place that C2PA lets anybody write to."""
    start = body.find(PADDING)
    while start >= 0:
        first = start + len(PADDING) + 2
        length = int.from_bytes(body[first - 2 : first], "big")
        if any(body[first : first + length]):
            return True
        start = body.find(PADDING, first)
    return False
