"""Credentials and personal data that look real and belong to nobody, put together where they are used."""

import hashlib


def noise(seed, length, alphabet="ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"):
    """Letters that look drawn at random, always the same for one seed."""
    drawn = hashlib.shake_256(seed.encode()).digest(length)
    return "".join(alphabet[byte % len(alphabet)] for byte in drawn)


HEX, UPPER, DIGITS = "0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789"

AWS_ACCESS_KEY = "AK" + "IA" + noise("aws", 16, UPPER)
AWS_SECRET_KEY = noise("aws secret", 40)
GITHUB_TOKEN = "gh" + "p_" + noise("github", 36)
OPENAI_KEY = "sk-" + "proj-" + noise("openai", 60)
JWT = ".".join(("ey" + "J" + noise("head", 33), "ey" + "J" + noise("body", 60), noise("sign", 43)))
KEY_BODY = "\n".join(noise(f"line {n}", 64) for n in range(12))
PRIVATE_KEY = f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{KEY_BODY}\n-----END RSA {'PRIVATE'} KEY-----"

BY_KIND = {
    "AWS_ACCESS_KEY": [AWS_ACCESS_KEY, "AS" + "IA" + noise("sts", 16, UPPER)],
    "AWS_BEDROCK_KEY": ["AB" + "SK" + noise("bedrock", 120)],
    "GITHUB_TOKEN": [GITHUB_TOKEN, "gh" + "s_" + noise("app", 36), "github" + "_pat_" + noise("fine", 82)],
    "GITLAB_TOKEN": ["gl" + "pat-" + noise("gitlab", 20), "gl" + "rt-" + noise("runner", 20)],
    "SLACK_TOKEN": [f"xo{'xb'}-{noise('s', 12, DIGITS)}-{noise('l', 12, DIGITS)}-{noise('k', 24)}"],
    "STRIPE_KEY": ["sk" + "_live_" + noise("stripe", 24), "rk" + "_test_" + noise("restricted", 24)],
    "ANTHROPIC_KEY": ["sk-" + "ant-api03-" + noise("anthropic", 95)],
    "OPENROUTER_KEY": ["sk-" + "or-v1-" + noise("router", 64, HEX)],
    "OPENAI_KEY": [OPENAI_KEY],
    "GOOGLE_KEY": ["AI" + "za" + noise("google", 35), "GOC" + "SPX-" + noise("oauth", 28)],
    "API_KEY": [
        "gs" + "k_" + noise("groq", 52),
        "h" + "f_" + noise("face", 34),
        "sk-" + noise("deepseek", 32, HEX),
        "np" + "m_" + noise("npm", 36),
        f"S{'G'}.{noise('send', 22)}.{noise('grid', 43)}",
    ],
    "JWT": [JWT, JWT.rpartition(".")[0]],
    "PRIVATE_KEY": [PRIVATE_KEY, PRIVATE_KEY.replace("\n", "\\n"), PRIVATE_KEY.replace("RSA ", "EC ")],
}
"""Forms that are found by themselves."""

PASSWORDS = [
    ("password = 'X'", "hunter42x"),
    ('DB_PASSWORD="X"', "s3cr3t/Passw0rd!"),
    ("client_secret: X", noise("client", 32)),
    ('{"apiKey": "X"}', noise("key", 24)),
    ("export AUTH_TOKEN=X;", noise("token", 20)),
    ("Authorization: Bearer X", noise("bearer", 40)),
    ("Authorization: Basic X", "dXNlcjpodW50ZXI0Mnh4"),
    ("postgres://app:X@db.internal:5432/app", "pa55w0rd!"),
    ("AWS_SECRET_ACCESS_KEY=X", AWS_SECRET_KEY),
    ('"SecretAccessKey": "X"', AWS_SECRET_KEY),
]
"""What is found by what stands before it: the text, `X` standing for the secret, and the secret."""

HARMLESS = [
    "commit 66b91e8c0a6f1d7c3b2a9e8f7d6c5b4a39281706",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "id 123e4567-e89b-12d3-a456-426614174000",
    "2026-10-01T12:34:56.789Z and 2026-10-01",
    "at 12:34:56 on 01.02.2026, from 10:00-11:30",
    "version 1.2.3-rc.4+build.5, Python 3.11.2, v10.0.19041",
    "def total(tokens: int, password: str, secret: Secret) -> float:",
    "password = getpass()  # never log the password",
    "token = os.environ['TOKEN']",
    "api_key=${API_KEY} api_key=<your-api-key> password: ********",
    "Enter your password: it must have eight characters or more.",
    "max_tokens: 4096, total_tokens=123456",
    "std::vector<int> a::b(fe, c); x::y::z",
    "isbn 978-3-16-148410-0; order 20260131-000123; build 1700000000000",
    "task-sk-learn-pipeline, disk-usage, risk-anticipation",
    "The key-value store keeps secrets: never print a secret.",
    "call +1 more time; 3 + 4 = 7; 100 000 000 tokens; $1,234,567.89",
    "A private key file begins with -----BEGIN and ends with -----END.",
    "https://example.com:8080/path?q=a@b and http://user@host/",
    "127.0.0.1 ::1 0.0.0.0 255.255.255.0",
    "bearer of bad news; basic arithmetic; Bearer authentication",
    "int x = 0x1234567890abcdef; float y = 4.111111111111111;",
]
"""What a filter must leave alone."""
