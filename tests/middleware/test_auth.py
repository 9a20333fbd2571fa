"""Who is let in: API keys, tokens of issuers, functions of one's own; and what those are told who are not."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.auth.rs256 import RsaKey, sign
from lambdallm.llm.auth.secrets import SecretCache
from lambdallm.llm.backends import BackendError
from lambdallm.llm.errors import ConfigurationError, ProviderConnectionError, UnauthorizedError
from lambdallm.llm.flow import Send
from lambdallm.middleware import ApiKeys, AuthMiddleware, ForbiddenError, Jwt, Principal
from lambdallm.middleware.jwt import taken_apart
from lambdallm.testing.world import World
from lambdallm.transport.types import HttpResponse

from .worlds import Place, http, http_v1

NOW = 1_700_000_000
SECRET = b"k" * 32


def let_in(place, layer, event):
    """The principal of an event that is let in."""
    return place.invoke([layer], lambda event, context: context.principal, event)


def refused(place, layer, event, error=UnauthorizedError):
    """Why an event is refused, and what its sender is told to do."""
    context = place.invocation(event=event)
    with pytest.raises(error) as caught:
        place.invoke([layer], lambda event, context: "in", event, context)
    assert context.response_headers == {}, "they go with the error"
    return str(caught.value), caught.value.http_headers["WWW-Authenticate"]


@pytest.fixture
def secrets(monkeypatch):
    """What Secrets Manager holds, by name."""
    held = {}

    def read(reference):
        yield from ()
        return held[reference.name]

    monkeypatch.setattr("lambdallm.llm.auth.secrets.CACHE", SecretCache(read=read))
    return held


class TestApiKeys:
    KEYS = {"ci": ApiKeys.hashed("key-of-ci"), "shop": [ApiKeys.hashed("old"), ApiKeys.hashed("new")]}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("header", "owner"),
        [
            ({"x_api_key": "key-of-ci"}, "ci"),
            ({"Authorization": "Bearer old"}, "shop"),
            ({"authorization": "bearer  new"}, "shop"),
            ({"AUTHORIZATION": "key-of-ci"}, "ci"),
        ],
    )
    @pytest.mark.parametrize("shape", [http, http_v1])
    def test_are_known_by_their_hashes(self, place, header, owner, shape):
        assert let_in(place, AuthMiddleware(ApiKeys(self.KEYS)), shape(**header)) == Principal(owner, "api_key")

    @pytest.mark.parametrize("key", ["other", "key-of-c", "key-of-ci ", "schlüssel", "x" * 20_000])
    def test_others_are_refused(self, place, key):
        said, challenge = refused(place, AuthMiddleware(ApiKeys(self.KEYS)), http(authorization=f"Bearer x{key}"))
        assert said == "The credentials are not valid. Send valid credentials."
        assert challenge == 'Bearer realm="api", error="invalid_token"'

    def test_a_hash_is_no_key(self, place):
        refused(place, AuthMiddleware(ApiKeys(self.KEYS)), http(x_api_key=self.KEYS["ci"]))

    def test_may_come_from_a_function_that_is_asked_now_and_then(self, place):
        calls = []

        def hashes():
            calls.append(1)
            return {f"caller {len(calls)}": ApiKeys.hashed("key")}

        layer, event = AuthMiddleware(ApiKeys(hashes, kept_seconds=60)), http(x_api_key="key")
        assert [let_in(place, layer, event).id for _ in range(3)] == ["caller 1"] * 3
        place.world.pass_time(61)
        assert let_in(place, layer, event).id == "caller 2"

    def test_what_is_in_hand_serves_while_the_function_fails(self, place, caplog):
        answers = [{"ci": ApiKeys.hashed("key")}, OSError("no network"), {"new": ApiKeys.hashed("key")}]

        def hashes():
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        layer, event = AuthMiddleware(ApiKeys(hashes, kept_seconds=60)), http(x_api_key="key")
        let_in(place, layer, event)
        place.world.pass_time(61)
        assert [let_in(place, layer, event).id for _ in range(3)] == ["ci"] * 3, "it is not asked again at once"
        assert "no network" in caplog.text
        place.world.pass_time(31)
        assert let_in(place, layer, event).id == "new"

    def test_may_be_a_secret_by_name(self, place, secrets):
        secrets["prod/keys"] = json.dumps(self.KEYS)
        assert let_in(place, AuthMiddleware(ApiKeys("secret:prod/keys")), http(x_api_key="new")).id == "shop"
        secrets["prod/broken"] = "key-of-ci"
        with pytest.raises(ConfigurationError) as caught:
            let_in(place, AuthMiddleware(ApiKeys("secret:prod/broken")), http(x_api_key="new"))
        assert "key-of-ci" not in str(caught.value)

    def test_a_secret_is_read_again_as_often_as_was_asked_for(self, place, secrets):
        secrets["prod/keys"] = json.dumps(self.KEYS)
        layer, event = AuthMiddleware(ApiKeys("secret:prod/keys", kept_seconds=10)), http(x_api_key="new")
        let_in(place, layer, event)
        secrets["prod/keys"] = json.dumps({"other": ApiKeys.hashed("other")})
        place.world.pass_time(31)
        refused(place, layer, event)

    def test_without_any_in_hand_nobody_is_let_in(self, place):
        def hashes():
            raise OSError("no network")

        with pytest.raises(BackendError, match="no network"):
            let_in(place, AuthMiddleware(ApiKeys(hashes)), http(x_api_key="key"))

    @pytest.mark.parametrize("stored", [{"ci": "my-plain-key"}, {"ci": "sha256:abc"}, {"ci": [3]}, ["x"]])
    def test_what_is_no_hash_is_refused_and_not_quoted(self, stored):
        with pytest.raises(ConfigurationError) as caught:
            ApiKeys(stored)
        assert "my-plain-key" not in str(caught.value)


def part(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).decode().rstrip("=")


def hs256(claims, secret=SECRET, **header):
    import hmac

    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', **header})}.{part(claims)}"
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), 'sha256'))}"


GOOD = {"sub": "ada", "exp": NOW + 60}


def bearer(token):
    return http(authorization=f"Bearer {token}")


class TestSharedSecrets:
    def test_a_good_token(self, place):
        principal = let_in(place, AuthMiddleware(Jwt(secret=SECRET)), bearer(hs256(GOOD)))
        assert (principal.id, principal.kind, principal.claims["exp"]) == ("ada", "jwt", NOW + 60)

    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({"exp": NOW - 31}, "has expired"),
            ({"exp": NOW - 29}, None),
            ({"nbf": NOW + 31}, "not valid yet"),
            ({"nbf": NOW + 29}, None),
            ({"exp": None}, "no 'exp'"),
            ({"sub": None}, "no 'sub'"),
            ({"exp": "tomorrow"}, "'exp' is no date"),
            ({"exp": True}, "'exp' is no date"),
            ({"exp": float("inf")}, "'exp' is no date"),
            ({"aud": "shop"}, "another audience"),
            ({"sub": ""}, "no 'sub'"),
            ({"sub": ["ada"]}, "'sub' names nobody"),
            ({"sub": True}, "'sub' names nobody"),
        ],
    )
    def test_claims_hold_or_not(self, place, claims, reason):
        layer, event = AuthMiddleware(Jwt(secret=SECRET)), bearer(hs256(GOOD | claims))
        if reason is None:
            assert let_in(place, layer, event).id == "ada"
        else:
            assert reason in refused(place, layer, event)[0]

    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({"iss": "us", "aud": "shop"}, None),
            ({"iss": "us", "aud": ["other", "shop"]}, None),
            ({"iss": "them", "aud": "shop"}, "another issuer"),
            ({"aud": "shop"}, "another issuer"),
            ({"iss": "us"}, "another audience"),
            ({"iss": "us", "aud": "other"}, "another audience"),
            ({"iss": "us", "aud": []}, "another audience"),
        ],
    )
    def test_issuer_and_audience_where_they_are_asked_for(self, place, claims, reason):
        layer = AuthMiddleware(Jwt(secret=SECRET, issuer="us", audience=["shop", "office"]))
        if reason is None:
            assert let_in(place, layer, bearer(hs256(GOOD | claims))).id == "ada"
        else:
            assert reason in refused(place, layer, bearer(hs256(GOOD | claims)))[0]

    @pytest.mark.parametrize(
        "token",
        [
            hs256(GOOD, b"x" * 32),
            hs256(GOOD, alg="none"),
            hs256(GOOD, alg="RS256"),
            hs256(GOOD, alg="HS512"),
            hs256(GOOD, alg="hs256"),
            hs256(GOOD, crit=["exp"]),
            f"{part({'alg': 'none'})}.{part(GOOD)}.",
            f"{part({'alg': 'HS256'})}.{part(GOOD)}.",
            hs256(GOOD) + "=",
            hs256(GOOD) + "AA",
            hs256(GOOD)[:-4],
            hs256([1]),
            "a.b.c",
            "..",
            "é.é.é",
            f"{part(b'[' * 5000)}.{part(GOOD)}.x",
        ],
    )
    def test_others_are_refused(self, place, token):
        _, challenge = refused(place, AuthMiddleware(Jwt(secret=SECRET)), bearer(token))
        assert "invalid_token" in challenge

    def test_a_changed_token_is_refused(self, place):
        head, _, signature = hs256(GOOD).split(".")
        refused(place, AuthMiddleware(Jwt(secret=SECRET)), bearer(f"{head}.{part(GOOD | {'sub': 'eve'})}.{signature}"))

    def test_a_secret_may_come_from_a_function(self, place):
        assert let_in(place, AuthMiddleware(Jwt(secret=lambda: SECRET)), bearer(hs256(GOOD))).id == "ada"

    def test_or_be_one_by_name(self, place, secrets):
        secrets["prod/jwt"] = SECRET.decode()
        assert let_in(place, AuthMiddleware(Jwt(secret="secret:prod/jwt")), bearer(hs256(GOOD))).id == "ada"

    @given(text=st.text(max_size=60))
    def test_no_text_is_read_as_a_token_by_accident(self, text):
        with pytest.raises(UnauthorizedError):
            taken_apart(text)


@pytest.fixture(scope="module")
def keys():
    """Two RSA keys."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return [rsa_key(rsa.generate_private_key(65537, 2048)) for _ in range(2)]


def rsa_key(key):
    own = key.private_numbers()
    public = own.public_numbers
    return RsaKey(public.n, public.e, own.d, own.p, own.q, own.dmp1, own.dmq1, own.iqmp)


def jwk(key, kid="one", **more):
    size = (key.n.bit_length() + 7) // 8
    numbers = {"n": part(key.n.to_bytes(size, "big")), "e": part(key.e.to_bytes(3, "big"))}
    return {"kty": "RSA", "kid": kid, **numbers, **more}


def rs256(claims, key, **header):
    signed = f"{part({'alg': 'RS256', **header})}.{part(claims)}"
    return f"{signed}.{part(sign(signed.encode(), key))}"


class TestPublicKeys:
    def test_a_good_token(self, place, keys):
        layer = AuthMiddleware(Jwt(jwks={"keys": [jwk(keys[0])]}))
        assert let_in(place, layer, bearer(rs256(GOOD, keys[0], kid="one"))).id == "ada"
        assert let_in(place, layer, bearer(rs256(GOOD, keys[0]))).id == "ada", "without a key id all are tried"

    def test_the_reference_implementation_agrees(self, place, keys):
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.hashes import SHA256

        key = rsa.generate_private_key(65537, 3072)
        signed = f"{part({'alg': 'RS256'})}.{part(GOOD)}"
        signature = key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
        layer = AuthMiddleware(Jwt(jwks={"keys": [jwk(keys[0]), jwk(rsa_key(key), "two")]}))
        assert let_in(place, layer, bearer(f"{signed}.{part(signature)}")).id == "ada"

    def test_others_are_refused(self, place, keys):
        layer = AuthMiddleware(Jwt(jwks={"keys": [jwk(keys[0])]}))
        mine = rs256(GOOD, keys[0], kid="one")
        head, claims, signature = mine.split(".")
        forged = [
            rs256(GOOD, keys[1], kid="one"),
            rs256(GOOD, keys[0], kid="other"),
            f"{part({'alg': 'none'})}.{part(GOOD)}.",
            f"{head}.{part(GOOD | {'sub': 'eve'})}.{signature}",
            f"{head}.{claims}.{part(b'')}",
            f"{head}.{claims}.{part(bytes(256))}",
            f"{head}.{claims}.{part(keys[0].n.to_bytes(256, 'big'))}",
            f"{head}.{claims}.{part(bytes(1) + sign(f'{head}.{claims}'.encode(), keys[0]))}",
        ]
        for token in forged:
            refused(place, layer, bearer(token))

    def test_a_public_key_is_no_secret(self, place, keys):
        """Whoever takes the algorithm from the token lets in whoever knows the public key."""
        public = json.dumps(jwk(keys[0])).encode()
        refused(place, AuthMiddleware(Jwt(jwks={"keys": [jwk(keys[0])]})), bearer(hs256(GOOD, public, kid="one")))

    @pytest.mark.parametrize(
        "change",
        [
            {"kty": "EC"},
            {"use": "enc"},
            {"alg": "RS512"},
            {"n": part(b"\x01" * 64)},
            {"e": "AQ"},
            {"e": "Ag"},
            {"n": 7},
        ],
    )
    def test_a_set_without_a_usable_key_is_refused(self, keys, change):
        with pytest.raises(ConfigurationError, match="no RSA key"):
            Jwt(jwks={"keys": [jwk(keys[0]) | change, "x"]})


class TestKeysAtAUrl:
    URL = "https://issuer.example/jwks.json"

    def answering(self, place, *replies):
        replies = list(replies)
        return Place(place.awaiting, World(lambda effect: replies.pop(0)))

    def served(self, *jwks):
        return HttpResponse(200, body=json.dumps({"keys": jwks}).encode())

    def fetches(self, place):
        return len(place.world.of(Send))

    def test_are_fetched_once_for_an_hour(self, place, keys):
        place = self.answering(place, self.served(jwk(keys[0])), self.served(jwk(keys[1], "two")))
        layer, token = AuthMiddleware(Jwt(jwks_url=self.URL)), rs256(GOOD, keys[0], kid="one")
        for _ in range(3):
            assert let_in(place, layer, bearer(token)).id == "ada"
            place.world.pass_time(20)
        assert self.fetches(place) == 1
        assert place.world.of(Send)[0].request.url == self.URL
        place.world.pass_time(3601)
        late = {"sub": "ada", "exp": NOW + 9999}
        assert let_in(place, layer, bearer(rs256(late, keys[1], kid="two"))).id == "ada"

    def test_an_unknown_key_id_has_them_fetched_again_now_and_then(self, place, keys):
        place = self.answering(place, self.served(jwk(keys[0])), self.served(jwk(keys[0]), jwk(keys[1], "two")))
        layer = AuthMiddleware(Jwt(jwks_url=self.URL))
        let_in(place, layer, bearer(rs256(GOOD, keys[0], kid="one")))
        for _ in range(5):
            refused(place, layer, bearer(rs256(GOOD, keys[1], kid="two")))
        assert self.fetches(place) == 1, "nobody makes us fetch by inventing ids"
        place.world.pass_time(31)
        assert let_in(place, layer, bearer(rs256(GOOD, keys[1], kid="two"))).id == "ada"

    def test_those_in_hand_serve_while_there_is_no_answer(self, place, keys, caplog):
        place = self.answering(place, self.served(jwk(keys[0])), ProviderConnectionError("no network"))
        layer, token = AuthMiddleware(Jwt(jwks_url=self.URL)), rs256({"sub": "ada", "exp": NOW + 9999}, keys[0])
        let_in(place, layer, bearer(token))
        place.world.pass_time(3601)
        assert let_in(place, layer, bearer(token)).id == "ada"
        assert "no network" in caplog.text

    def test_but_not_for_ever(self, place, keys):
        place = self.answering(place, self.served(jwk(keys[0])), *[ProviderConnectionError("no network")] * 99)
        layer, token = AuthMiddleware(Jwt(jwks_url=self.URL)), rs256({"sub": "ada", "exp": NOW + 999_999}, keys[0])
        for hour in range(24):
            assert let_in(place, layer, bearer(token)).id == "ada", hour
            place.world.pass_time(3600)
        with pytest.raises(BackendError):
            let_in(place, layer, bearer(token))

    @pytest.mark.parametrize(
        "reply",
        [
            ProviderConnectionError("no network"),
            HttpResponse(500),
            HttpResponse(200, body=b"<html>"),
            HttpResponse(200, body=b'{"keys": []}'),
            HttpResponse(200, body=b" " * 1_000_001),
        ],
    )
    def test_without_any_nobody_is_let_in(self, place, keys, reply):
        place = self.answering(place, reply)
        with pytest.raises(BackendError, match=r"issuer\.example"):
            let_in(place, AuthMiddleware(Jwt(jwks_url=self.URL)), bearer(rs256(GOOD, keys[0])))

    @pytest.mark.parametrize("url", ["http://issuer.example/jwks", "http://127.0.0.1.evil.example/", "ftp://x"])
    def test_only_https_is_believed(self, url):
        with pytest.raises(ConfigurationError, match="https"):
            Jwt(jwks_url=url)


class TestFunctionsOfOnesOwn:
    def test_as_documented(self, place):
        class Own(AuthMiddleware):
            def validate(self, token):
                return {"right": "ada", "known": True}.get(token)

        assert let_in(place, Own(), http(authorization="right")) == Principal("ada", value="ada")
        assert let_in(place, Own(), http(authorization="known")) == Principal("", value=True)
        refused(place, Own(), http(authorization="wrong"))

    @pytest.mark.parametrize("found", ["ada", Principal("ada", value="ada")])
    def test_may_be_an_object_that_is_no_flow(self, place, found):
        class Own:
            def verify(self, token):
                return found if token == "right" else None

        assert let_in(place, AuthMiddleware(Own()), http(authorization="right")) == Principal("ada", value="ada")
        refused(place, AuthMiddleware(Own()), http(authorization="wrong"))

    def test_may_give_the_principal(self, place):
        layer = AuthMiddleware(lambda token: Principal(token, "own", {"scope": "a b"}))
        assert let_in(place, layer, http(authorization="x")).scopes == {"a", "b"}

    def test_may_raise(self, place):
        def validate(token):
            raise UnauthorizedError("Revoked.")

        assert "Revoked." in refused(place, AuthMiddleware(validate), http(authorization="x"))[0]

    def test_are_asked_in_turn(self, place):
        layer = AuthMiddleware(Jwt(secret=SECRET), ApiKeys({"ci": ApiKeys.hashed("key")}), lambda token: token == "own")
        for token, who in ((hs256(GOOD), "ada"), ("key", "ci"), ("own", "")):
            assert let_in(place, layer, bearer(token)).id == who
        said, _ = refused(place, layer, bearer(hs256(GOOD | {"exp": 1})))
        assert "has expired" in said, "the reason of the one that knew it"


class TestWhatTheyMay:
    def principal(self, **claims):
        return AuthMiddleware(lambda token: Principal("ada", "jwt", claims), scopes=["read", "write"])

    @pytest.mark.parametrize("claims", [{"scope": "read write more"}, {"scp": ["write", "read"]}])
    def test_scopes_that_suffice(self, place, claims):
        let_in(place, self.principal(**claims), bearer("x"))

    @pytest.mark.parametrize("claims", [{"scope": "read"}, {}, {"scope": "readwrite"}, {"scp": None}, {"scope": 5}])
    def test_scopes_that_do_not(self, place, claims):
        said, challenge = refused(place, self.principal(**claims), bearer("x"), ForbiddenError)
        assert "'ada' lacks the scope" in said
        assert challenge == 'Bearer realm="api", error="insufficient_scope", scope="read write"'

    def test_a_function_decides(self, place):
        layer = AuthMiddleware(lambda token: token, allow=lambda who, event: event["rawPath"] == f"/{who.id}")
        let_in(place, layer, http(path="/ada", authorization="ada"))
        refused(place, layer, http(path="/eve", authorization="ada"), ForbiddenError)


def test_without_credentials_no_error_is_told_but_the_way(place):
    said, challenge = refused(place, AuthMiddleware(lambda token: True, realm="shop"), http())
    assert said == "There are no credentials. Send them in the header Authorization."
    assert challenge == 'Bearer realm="shop"'


@pytest.mark.parametrize(
    "event", [{}, {"Records": []}, None, "text", {"headers": None}, {"headers": {"Authorization": None}}]
)
def test_events_that_can_t_have_credentials_are_refused(place, event):
    refused(place, AuthMiddleware(lambda token: True), event)


def test_optional_credentials_must_be_right_where_they_are_given(place):
    layer = AuthMiddleware(lambda token: token == "right", optional=True)
    assert let_in(place, layer, http()) is None
    refused(place, layer, http(authorization="wrong"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AuthMiddleware(), "nothing to recognise callers by"),
        (lambda: AuthMiddleware(lambda t: True, realm='a"b'), "realm"),
        (lambda: Jwt(), "one kind of key"),
        (lambda: Jwt(secret=SECRET, jwks={}), "one kind of key"),
        (lambda: Jwt(secret="short"), "too short"),
    ],
)
def test_settings_that_make_no_sense_are_named(make, message):
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_nothing_shows_a_secret():
    assert "kkkk" not in repr(Jwt(secret=SECRET)) + repr(ApiKeys({"a": ApiKeys.hashed("x")}))
