"""What the start of the service finds and removes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from imap4fast.mail import spoolsweep
from imap4fast.mail.ledger import ASIDE
from imap4fast.mail.spool import Limits, Said, Spool
from imap4fast.mail.spoolkey import object_name
from imap4fast.mail.spoolsweep import UNSURE_S, Swept
from imap4fast.mail.store import FILE
from imap4fast.mail.work import FREE, Scan, Verdicts
from tests.unit.mail import spools
from tests.unit.mail.spools import MANY, NOW, got, mail, names, octets_on_disk, origin, put

LIMITS = Limits(0, 1000, 5000)


def sweep(path: Path, limits: Limits = LIMITS, now: int = NOW, boot: str = "same") -> Swept:
    files = spools.files(path)
    try:
        return spoolsweep.sweep(files, str(path), limits, now, boot)
    finally:
        files.close()


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """A spool with mails 0 to 4, made one second after the other, and swept once."""
    spool = spools.spool(tmp_path)
    for uid in range(5):
        put(spool, uid, mail(uid), NOW + uid)
    spool.close()
    sweep(tmp_path)
    return tmp_path


def served(path: Path, count: int = 5) -> list[int]:
    """The mails that are served, each of them whole and right."""
    spool = spools.spool(path)
    found = [(uid, got(spool, uid)) for uid in range(count)]
    spool.close()
    assert all(octets in (None, mail(uid)) for uid, octets in found)
    return [uid for uid, octets in found if octets is not None]


def file_of(path: Path, uid: int) -> Path:
    return path / "objects" / object_name(origin(uid).key(), spools.kept(mail(uid)).sha256)


def test_a_new_spool(tmp_path: Path) -> None:
    assert sweep(spools.made(tmp_path)) == Swept()


def test_what_is_in_order_stays(five: Path) -> None:
    assert sweep(five) == Swept(objects=5, octets=octets_on_disk(five))
    assert served(five) == [0, 1, 2, 3, 4]


def test_orphans_and_temporary_names_go(five: Path) -> None:
    for name in ("ab" * 32, "tmp.0.1", "stray"):
        (five / "objects" / name).write_bytes(b"x" * 50)
    swept = sweep(five)
    assert (swept.orphans, swept.temporary, swept.objects) == (2, 1, 5)
    assert swept.octets == octets_on_disk(five)


def test_rows_without_their_file_go(five: Path) -> None:
    file_of(five, 1).unlink()
    os.truncate(file_of(five, 2), 3)
    file_of(five, 3).unlink()
    file_of(five, 3).symlink_to(file_of(five, 4))
    swept = sweep(five)
    assert (swept.missing, swept.orphans, swept.objects) == (3, 2, 2)
    assert served(five) == [0, 4]
    assert len(names(five)) == 2


def test_a_file_of_another_user_or_for_others_goes(five: Path) -> None:
    if os.geteuid() == 0:
        os.chown(file_of(five, 1), 65534, 65534)
    os.chmod(file_of(five, 2), 0o640)
    assert sweep(five).missing == (2 if os.geteuid() == 0 else 1)
    assert served(five)[-3:] == [0, 3, 4]


def test_a_directory_among_the_objects_is_an_error(five: Path) -> None:
    (five / "objects" / "directory").mkdir()
    with pytest.raises(OSError, match="directory"):
        sweep(five)


def test_after_a_boot_the_newest_are_read_whole(five: Path) -> None:
    spool = spools.spool(five)
    put(spool, 5, mail(5), NOW + UNSURE_S + 2)
    spool.close()
    for uid in (1, 3):
        with open(file_of(five, uid), "r+b") as file:
            file.write(b"\0" * 10)
    assert sweep(five).damaged == 0
    swept = sweep(five, boot="another")
    assert (swept.damaged, swept.objects) == (1, 5)  # the first was on the disk long before
    assert not file_of(five, 3).exists()
    assert file_of(five, 1).exists()
    assert sweep(five, boot="another").damaged == 0


def test_after_a_boot_a_refused_mail_stays(five: Path) -> None:
    spool = spools.spool(five)
    spool.keep(origin(9), -1, replace(spools.kept(b""), index_size=0), NOW + 9)
    spool.close()
    file_of(five, 0).unlink()
    swept = sweep(five, boot="another")
    assert (swept.objects, swept.missing, swept.damaged) == (5, 1, 0)


def test_what_is_old_or_too_much_goes(five: Path) -> None:
    swept = sweep(five, now=NOW + 1002)
    assert (swept.aged, served(five)) == (2, [2, 3, 4])
    size = octets_on_disk(five) // 3
    assert sweep(five, Limits(size * 3, 0, 0)).aged == 0
    assert sweep(five, Limits(size * 2, 0, 0)).aged == 1
    assert octets_on_disk(five) == size * 2
    assert served(five) == [3, 4]


def test_old_verdicts_go(five: Path) -> None:
    spool = spools.spool(five)
    for number in (1, 2):
        spool.keep_verdicts(Said(bytes([number]) * 32, b"e", b"v", Verdicts(Scan(FREE))), NOW + number)
    spool.close()
    sweep(five, now=NOW + 5002)
    spool = spools.spool(five)
    assert [spool.verdicts(bytes([number]) * 32, b"e", b"v", NOW) is None for number in (1, 2)] == [True, False]
    spool.close()


def test_what_is_damaged_is_begun_anew(five: Path) -> None:
    (five / FILE).write_bytes(b"x" * 20_000)
    swept = sweep(five)
    assert "not a database" in swept.broken
    assert (swept.objects, swept.orphans, names(five)) == (0, 5, set())
    assert (five / ASIDE).exists()
    assert sweep(five).broken == ""


def test_damage_that_only_a_look_at_all_finds(five: Path) -> None:
    spool = spools.spool(five)
    for uid in range(10, 300):
        put(spool, uid, mail(uid))
    spool.close()
    octets = bytearray((five / FILE).read_bytes())
    pages = len(octets) // 4096
    for page in range(pages // 2, pages):
        octets[page * 4096 : page * 4096 + 200] = b"\xee" * 200
    (five / FILE).write_bytes(octets)
    assert sweep(five).broken != ""
    assert served(five) == []


def test_one_that_is_in_use_elsewhere_is_not_broken(five: Path) -> None:
    """The workers of an instance that ends go on while the next one starts."""
    spool = spools.spool(five)
    assert sweep(five).objects == 5
    assert put(spool, 7, mail(7))
    assert isinstance(spool, Spool)
    assert got(spool, 7) == mail(7)
    spool.close()
    assert sweep(five, MANY).objects == 6
