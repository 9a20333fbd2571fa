"""A gateway's settings, as each environment sees them, and a model of theirs that answers."""

import os
from pathlib import Path

from lambdallm.gateway.config import load_gateway
from lambdallm.gateway.models import ConfiguredModels
from lambdallm.llm.drivers import Driver
from lambdallm.llm.types import ChatMessage, ChatRequest

FILE = Path(__file__).with_name("gateway.yaml")


def main() -> None:
    for stage in ("dev", "prod"):
        config = load_gateway(FILE, {**os.environ, "LAMBDALLM_ENV": stage})
        print(f"{stage}: fast is {config.models['fast'].targets[0].target}, keys in {config.keys.store}")

    models = ConfiguredModels(load_gateway(FILE, {}))
    request = ChatRequest("careful", (ChatMessage("user", "Name a river."),))
    answer = Driver().run(models.find("careful").chat(request)).unwrap()
    print(f"careful: {answer.text!r} from {answer.routing.chosen!r}")


if __name__ == "__main__":
    main()
