"""What an adapter of a catalog's provider is made of, whether it blocks or awaits: target, settings, requests."""

from __future__ import annotations

from ..call import CallSettings
from ..catalog.loader import catalog as shared_catalog
from ..catalog.resolve import targeted
from ..errors import ConfigurationError
from ..options import check_options
from ..types import EmbeddingRequest, HealthCheckResult
from .batches import checked_texts, limits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

    from ..catalog.definition import ProviderDefinition
    from ..catalog.loader import Catalog
    from ..errors import LambdaLLMError

_OF_A_REQUEST = ("dimensions", "input_type", "user", "extra")
_OF_A_CALL = tuple(name for name in CallSettings._fields if name != "wire")


class CatalogTemplate:
    """An embedding model at a provider that the catalog describes.

    `model` is an id at the provider. `options` are `dimensions`, `input_type`, `user` and `extra` for every request,
    which a call may override, and the fields of `CallSettings`: `api_key`, `base_url`, `timeout`, `total`, ….
    `batch_size` sends fewer texts a request than the provider takes. Raises `UnknownProviderError` and
    `ConfigurationError`.
    """

    provider: ClassVar[str] = ""
    default_model: ClassVar[str] = ""

    def __init__(
        self,
        model: str | None = None,
        *,
        provider: str | None = None,
        catalog: Catalog | None = None,
        batch_size: int | None = None,
        **options: Any,
    ) -> None:
        check_options(options, (*_OF_A_REQUEST, *_OF_A_CALL))
        limits_of({}, None, batch_size)
        definition = (catalog or shared_catalog()).provider(provider or self.provider)
        self.target = targeted(definition, _model(model or self.default_model, definition))
        self.model = self.target.model.id
        self.settings = CallSettings(**{k: v for k, v in options.items() if k in _OF_A_CALL})
        self.batch_size = batch_size
        self._always = {k: v for k, v in options.items() if k in _OF_A_REQUEST}

    def get_models(self) -> list[str]:
        """The provider's models that give embeddings, as its entry says or their ids do, and this adapter's own."""
        provider = self.target.provider
        known = {id for id, entry in provider.models.items() if not provider.wire or _embeds(id, entry)}
        return sorted(known | {self.model})

    def _request(self, texts: Sequence[str], options: dict[str, Any]) -> EmbeddingRequest:
        check_options(options, _OF_A_REQUEST)
        return EmbeddingRequest(self.model, checked_texts(texts), **(self._always | options))

    def _unready(self, error: LambdaLLMError) -> HealthCheckResult:
        """The health of a provider that nothing could be sent to: no key, no model, nothing installed."""
        return HealthCheckResult(False, self.target.provider.name, error=error, details={"model": self.model})


def _embeds(id: str, entry: Mapping[str, Any]) -> bool:
    output = entry.get("output", ())
    return "embedding" in output or (not output and "embed" in id)


def _model(named: str, definition: ProviderDefinition) -> str:
    model = named.removeprefix(f"{definition.name}/") or definition.default_embedding_model
    if not model:
        fix = "Name one, or add 'default_embedding_model' to the definition."
        raise ConfigurationError(f"Provider {definition.name!r} has no default embedding model.", fix=fix)
    return model
