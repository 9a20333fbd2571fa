"""`PydanticParser`: an answer's JSON as an instance of a pydantic model."""

from __future__ import annotations

from ..errors import ConfigurationError, MissingExtraError
from ..structured.pydantic_model import is_pydantic
from .json_parser import JSONParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from pydantic import BaseModel

    M = TypeVar("M", bound=BaseModel)
else:
    M = None


class PydanticParser(JSONParser[M]):
    """Reads the JSON in a text into a model of pydantic 2; every problem has its path.

    PydanticParser(Person).parse('{"name": "Ada"}')      # Person(name='Ada')

    Raises `ConfigurationError` for what is no such model, `MissingExtraError` where pydantic is not installed.
    """

    def __init__(self, model: type[M], *, repair: bool = False) -> None:
        if not is_pydantic(model):
            raise _no_model(model)
        super().__init__(model, repair=repair)


def _no_model(given: object) -> ConfigurationError:
    try:
        import pydantic  # noqa: F401
    except ImportError:
        return MissingExtraError("PydanticParser", "pydantic")
    return ConfigurationError(
        f"{given!r} is no model of pydantic 2.", fix="Give a class derived from pydantic.BaseModel, or use JSONParser."
    )
