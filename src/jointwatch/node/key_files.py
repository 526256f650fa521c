"""Keys on disk: a private key in a file that nobody but its owner reads, and beside it what may be shown.

In: a key and a folder, or the path of a key; out: two files whose names say whose they are, or the key.
`NAME.key.pem` and `NAME.cert.pem` are those of a sender of warnings, for exercises or live; `NAME.link.key`
and `NAME.link.pub` are a partner's on the link (Ed25519, hexadecimal digits).  Nothing is ever overwritten.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

from jointwatch.formats.warning_keys import WarningCertificate, WarningKey
from jointwatch.joint.signing import Signer, public_key
from jointwatch.records import BadInput

MOST_BYTES = 100_000
"""No file with a key or a certificate is longer."""
KEY, CERTIFICATE = ".key.pem", ".cert.pem"
LINK_KEY, LINK_PUBLIC = ".link.key", ".link.pub"


def keep_warning_key(key: WarningKey, folder: Path) -> tuple[Path, Path]:
    """Write a key and its certificate; where they are.  BadInput if one of the files is there already."""
    said = key.certificate
    base = f"{_file_name(said.sender)}-{said.purpose}"
    return _keep(folder, (base + KEY, key.secret_pem()), (base + CERTIFICATE, said.pem()))


def keep_link_key(key: Signer, partner: str, folder: Path) -> tuple[Path, Path]:
    """Write a partner's key of the link and its public key; where they are.  BadInput as above."""
    base = _file_name(partner)
    secret, public = f"{key.secret().hex()}\n".encode(), f"{key.public.hex()}\n".encode()
    return _keep(folder, (base + LINK_KEY, secret), (base + LINK_PUBLIC, public))


def load_warning_key(path: Path, certificate: Path | None = None) -> WarningKey:
    """The key in NAME.key.pem, with its certificate: NAME.cert.pem beside it, where no other is named.

    BadInput if others than its owner can read the key, or the two do not belong together.  Whether the
    certificate holds is asked when a node begins with it, and watched while that runs.
    """
    if not path.name.endswith(KEY):
        raise BadInput(str(path), "name", path.name, f"the name of a key: NAME{KEY}")
    beside = certificate or path.with_name(path.name.removesuffix(KEY) + CERTIFICATE)
    return WarningKey.of_pem(_secret(path), _read(beside), str(path))


def load_link_key(path: Path) -> Signer:
    """The key of the link in NAME.link.key; BadInput if others than its owner can read it, or it is none."""
    return Signer.of_hex(_secret(path).decode("ascii", "replace"))


def load_link_public(path: Path) -> bytes:
    """The 32 bytes of the public key in NAME.link.pub; BadInput if it is none."""
    return public_key(_read(path).decode("ascii", "replace"), str(path)).public_bytes_raw()


def load_certificate(path: Path) -> WarningCertificate:
    """The certificate in a file; BadInput if it is none."""
    return WarningCertificate.of_pem(_read(path), str(path))


def _file_name(name: str) -> str:
    """A name as a part of a file's: what may mean something to a file system becomes a line."""
    return re.sub(r"[^A-Za-z0-9@_.-]|^[.-]", "_", name)


def _keep(folder: Path, secret: tuple[str, bytes], public: tuple[str, bytes]) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / secret[0], folder / public[0]
    for path in paths:
        if path.exists() or path.is_symlink():
            raise BadInput(str(path), "file", "a file that is there already", "none: keys are not replaced")
    for path, data, mode in ((paths[0], secret[1], 0o600), (paths[1], public[1], 0o644)):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return paths


def _secret(path: Path) -> bytes:
    """A file that only its owner can read."""
    with _opened(path) as file:
        # of the open file, so that it cannot be another between the look and the reading
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise BadInput(
                str(path), "permissions", f"{mode:o}", f"a file for its owner only: chmod 600 {path}"
            )
        return file.read(MOST_BYTES)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise BadInput(str(path), "file", error.strerror or str(error), "a file that can be read") from None


def _read(path: Path) -> bytes:
    with _opened(path) as file:
        return file.read(MOST_BYTES)
