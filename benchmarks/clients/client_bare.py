"""No client at all: what starting Python, and this harness, costs by itself."""


def client(url: str) -> None:
    return None


def call(client: None) -> str:
    return "nothing"
