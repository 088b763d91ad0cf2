"""Education providers' steps from their files: `<directory>/<provider>/<valid from>.yaml`."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from services.intake.domain.absence import Provider, Providers

DIRECTORY = Path(__file__).parent / "providers"


class ProviderRefusedError(ValueError):
    """A provider's file cannot be used; the message names the file and what is wrong."""


def load_providers(directory: Path = DIRECTORY) -> Providers:
    """The providers whose steps may be used. Raises `ProviderRefusedError`."""
    found: dict[str, list[Provider]] = {}
    for provider in read_files(directory):
        if not provider.check_before_use:
            found.setdefault(provider.provider, []).append(provider)
    return {code: sorted(each, key=lambda one: one.valid_from) for code, each in found.items()}


def read_files(directory: Path = DIRECTORY) -> list[Provider]:
    """Every provider's file, those to be checked before use too."""
    return [_read(path) for path in sorted(directory.glob("*/*.yaml"))]


def _read(path: Path) -> Provider:
    where = f"{path.parent.name}/{path.name}"
    try:
        provider = Provider.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ProviderRefusedError(f"{where}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ProviderRefusedError(f"{where}: {place}: {first['msg']}") from None
    if (provider.provider, provider.valid_from.isoformat()) != (path.parent.name, path.stem):
        raise ProviderRefusedError(
            f"{where}: the file says it is {provider.provider}, from {provider.valid_from}"
        )
    return provider
