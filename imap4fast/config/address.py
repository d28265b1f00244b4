"""IP addresses of the language, between text and numbers: `[a]`, `[a/24]`, `[a/255.255.0.255]`, `[a/0xFF00]`."""

from __future__ import annotations

import ipaddress

from imap4fast.config.diagnostic import ElementError
from imap4fast.config.source import Span
from imap4fast.config.syntax import Atom
from imap4fast.config.values import Address, HostMask, HostRange

_BITS = {4: 32, 6: 128}
_MAPPED = 0xFFFF << 32
_MAPPED_MASK = (2**128 - 1) ^ (2**32 - 1)


def address_of(atom: Atom) -> Address:
    """The one address that `[...]` holds; IPv4-mapped ones become version 4."""
    text = atom.text[1:-1].strip()
    if "/" in text:
        raise ElementError(atom.span, f"one address expected, not the network `{atom.text}`")
    return _plain(_parsed(text, atom.span))


def network_of(atom: Atom) -> HostRange | HostMask:
    """The addresses that `[a]` or `[a/MASK]` holds."""
    text, slash, mask_text = (part.strip() for part in atom.text[1:-1].partition("/"))
    version, value = _parsed(text, atom.span)
    if not slash:
        plain = _plain((version, value))
        return HostRange(plain.version, plain.value, plain.value)
    mask = _mask(mask_text, version, atom.span)
    if version == 6 and value & _MAPPED_MASK == _MAPPED:
        if mask & _MAPPED_MASK != _MAPPED_MASK:
            raise ElementError(atom.span, "a mask of an IPv4-mapped address must cover its first 96 bits")
        version, value, mask = 4, value & (2**32 - 1), mask & (2**32 - 1)
    return masked(version, value & mask, mask)


def masked(version: int, value: int, mask: int) -> HostRange | HostMask:
    """A mask that is a prefix gives a range."""
    rest = mask ^ (2 ** _BITS[version] - 1)
    return HostMask(version, value, mask) if rest & (rest + 1) else HostRange(version, value, value | rest)


def write_address(address: Address) -> str:
    """`[a]`."""
    return f"[{_text(address.version, address.value)}]"


def write_network(host: HostRange | HostMask) -> str:
    """The shortest of `[a]`, `[a/n]`, `[a]-[b]`, `[a/MASK]`."""
    if isinstance(host, HostMask):
        mask = _text(4, host.mask) if host.version == 4 else f"0x{host.mask:x}"
        return f"[{_text(host.version, host.value)}/{mask}]"
    low = _text(host.version, host.low)
    rest = host.low ^ host.high
    if not rest:
        return f"[{low}]"
    if rest & (rest + 1) == 0 and host.low & rest == 0:
        return f"[{low}/{_BITS[host.version] - rest.bit_length()}]"
    return f"[{low}]-[{_text(host.version, host.high)}]"


def _parsed(text: str, span: Span) -> tuple[int, int]:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise ElementError(span, f"`{text}` is no IP address") from None
    if isinstance(found, ipaddress.IPv6Address) and found.scope_id is not None:
        raise ElementError(span, "an address with a zone cannot stand here")
    return found.version, int(found)


def _plain(parsed: tuple[int, int]) -> Address:
    version, value = parsed
    if version == 6 and value & _MAPPED_MASK == _MAPPED:
        return Address(4, value & (2**32 - 1))
    return Address(version, value)


def _mask(text: str, version: int, span: Span) -> int:
    bits = _BITS[version]
    everything: int = 2**bits - 1
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= bits:
        return everything ^ (everything >> int(text))
    if text[:2] in ("0x", "0X"):
        try:
            mask = int(text[2:], 16)
        except ValueError:
            mask = -1
        if 0 <= mask <= everything:
            return mask
    elif "." in text or ":" in text:
        mask_version, mask = _parsed(text, span)
        if mask_version == version:
            return mask
    raise ElementError(
        span, f"`{text}` is no mask of an IPv{version} address; write /0 to /{bits}, an address or 0x..."
    )


def _text(version: int, value: int) -> str:
    return str(ipaddress.IPv4Address(value) if version == 4 else ipaddress.IPv6Address(value))
