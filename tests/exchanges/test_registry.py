"""Which adapters there are, and where they may connect to."""

import subprocess
import sys

import pytest

from exchanges import registry
from exchanges.addresses import require_safe

SAFE = [
    "https://api.lnmarkets.com/v3",
    "https://api.lnmarkets.com:8443/v3/",
    "https://10.0.0.1/v3",
    "http://localhost:8001/v3",
    "http://127.0.0.1:8001/v3",
    "http://127.8.9.1",
    "http://[::1]:8001/v3",
]
UNSAFE = {
    "empty": "",
    "no scheme": "api.lnmarkets.com/v3",
    "another scheme": "ftp://127.0.0.1/v3",
    "plain to another machine": "http://api.lnmarkets.com/v3",
    "plain to the network": "http://192.168.1.1/v3",
    "plain to all": "http://0.0.0.0/v3",
    "looks like this machine": "http://localhost.example.com/v3",
    "looks like this machine too": "http://127.0.0.1.example.com/v3",
    "an address in disguise": "http://2130706433/v3",
    "user": "https://user@api.lnmarkets.com/v3",
    "user and password": "https://user:pass@api.lnmarkets.com/v3",
    "this machine as user": "http://localhost@example.com/v3",
    "backslash": "http://127.0.0.1\\@example.com/v3",
    "query": "https://api.lnmarkets.com/v3?a=b",
    "fragment": "https://api.lnmarkets.com/v3#a",
    "no host": "https:///v3",
    "port 0": "https://api.lnmarkets.com:0/v3",
    "port too high": "https://api.lnmarkets.com:65536/v3",
    "port of letters": "https://api.lnmarkets.com:http/v3",
    "blank": "https://api.lnmarkets.com/v 3",
    "newline": "https://api.lnmarkets.com/v3\n",
    "not ASCII": "https://äpi.example.com/v3",
    "open bracket": "https://[::1/v3",
}


@pytest.mark.parametrize("url", SAFE)
def test_safe_addresses(url):
    require_safe(url)
    registry.connect("lnmarkets", base_url=url)


@pytest.mark.parametrize("url", UNSAFE.values(), ids=UNSAFE)
def test_unsafe_addresses(url):
    with pytest.raises(ValueError, match=r"^The address of an exchange must be"):
        require_safe(url)
    with pytest.raises(ValueError, match=r"^The address of an exchange must be"):
        registry.connect("lnmarkets", base_url=url)


def test_an_unknown_adapter():
    with pytest.raises(ValueError, match=r"no adapter 'hyperliquid'\. Known are: lnmarkets"):
        registry.connect("hyperliquid", base_url="https://api.example.com")


def test_adapters_are_loaded_when_they_are_used():
    code = "import sys, exchanges.registry; sys.exit(bool({'requests', 'ccxt'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_adapter_has_limits(settings):
    assert set(registry.ADAPTERS) <= set(settings.EXCHANGE_LIMITS)


def test_every_adapter_resolves():
    for name in registry.ADAPTERS:
        assert registry.connect(name, base_url="https://127.0.0.1/v3").capabilities
