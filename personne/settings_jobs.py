"""Settings of data sets and webhooks: a part of Settings, in a file of its own."""

from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import NoDecode


class JobSettings(BaseModel):
    """How large a data set may be, and who may be told of a job's end."""

    max_dataset_faces: int = Field(10_000, ge=1, le=1_000_000, description="Most faces of one data set.")
    max_dataset_bytes: int = Field(
        256 * 1024 * 1024,
        ge=1024,
        le=1024**4,
        description="Most bytes of one data set's zip, which lies in the queue, in parts.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        min_length=24,
        description="Secret of 24 characters or more that signs webhooks (`whsec_` and base64, or any text). Unset: "
        "there are none.",
    )
    webhook_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Private networks that webhooks may lead to, `10.1.0.0/16` say, with commas between; unset: public "
        "addresses only.",
    )

    @field_validator("webhook_networks", mode="before")
    @classmethod
    def _networks_of(cls, value: Any) -> Any:
        networks = [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        for network in networks:
            ip_network(network)
        return networks
