"""The client's half of SCRAM (RFC 5802), enough to log in to Dovecot."""

from __future__ import annotations

import base64
import hashlib
import hmac


class Scram:
    """One exchange: `first`, then `final(server_first)`, then `verify(server_final)`."""

    def __init__(self, digest: str, user: str, password: bytes, nonce: str = "e2eNonce0123456789") -> None:
        self._digest = digest
        self._password = password
        self._bare = f"n={user},r={nonce}".encode()
        self._server_key = b""
        self._text = b""

    def first(self) -> bytes:
        return b"n,," + self._bare

    def final(self, server_first: bytes) -> bytes:
        fields = dict(part.split(b"=", 1) for part in server_first.split(b","))
        salted = hashlib.pbkdf2_hmac(self._digest, self._password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        bare = b"c=biws,r=" + fields[b"r"]
        self._text = self._bare + b"," + server_first + b"," + bare
        key = self._hmac(salted, b"Client Key")
        signature = self._hmac(hashlib.new(self._digest, key).digest(), self._text)
        self._server_key = self._hmac(salted, b"Server Key")
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return bare + b",p=" + base64.b64encode(proof)

    def verify(self, server_final: bytes) -> None:
        expected = b"v=" + base64.b64encode(self._hmac(self._server_key, self._text))
        assert server_final == expected, server_final

    def _hmac(self, key: bytes, text: bytes) -> bytes:
        return hmac.digest(key, text, self._digest)
