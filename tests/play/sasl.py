"""What clients send inside AUTHENTICATE, as base64."""

from __future__ import annotations

from base64 import b64encode

from tests.secrets import PASSWORDS

PASSWORD = PASSWORDS[0]
TOKEN = PASSWORDS[4]


def coded(text: str | bytes) -> str:
    return b64encode(text.encode() if isinstance(text, str) else text).decode()


def plain(user: str, *, acts_as: str = "", password: str = PASSWORD) -> str:
    return coded(f"{acts_as}\0{user}\0{password}")


def xoauth2(user: str) -> str:
    return coded(f"user={user}\x01auth=Bearer {TOKEN}\x01\x01")


def oauthbearer(user: str) -> str:
    return coded(f"n,a={user},\x01host=x\x01auth=Bearer {TOKEN}\x01\x01")
